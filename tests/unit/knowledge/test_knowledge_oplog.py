"""The log loses no line that it took, and passes over what a crash tore."""

import os

import pytest

from autonomyd.knowledge.backlog import Backlog
from autonomyd.knowledge.oplog import OpLog
from autonomyd.knowledge.statements import migrations, statements
from autonomyd.knowledge.write import Op, op_of


def op(seq: int, *, durable: bool = False) -> Op:
    return Op(seq=seq, query="remove_state", params={"key": f"ä{seq}"}, durable=durable)


def numbers(log: OpLog, after: int = 0) -> list[int]:
    return [each.seq for each in log.read(after=after)]


def test_lines_come_back_above_a_number(tmp_path):
    log = OpLog(tmp_path / "a.db")
    log.append([op(1), op(2)])
    log.append([op(3)])
    assert numbers(log) == [1, 2, 3]
    assert numbers(log, after=2) == [3]
    assert next(log.read(after=2)).params == {"key": "ä3"}
    log.close()


@pytest.mark.parametrize("tail", [b'[4,"remo', b"garbage\n", b"\x00\xff\x00", b"[1]\n", b"{}\n", b'["4",2,3]\n', b"\n"])
def test_a_torn_end_is_skipped_and_counted(tmp_path, tail):
    log = OpLog(tmp_path / "a.db")
    log.append([op(1)])
    log.close()
    with log.path.open("ab") as file:
        file.write(tail)
    again = OpLog(tmp_path / "a.db")
    again.append([op(2)])
    assert numbers(again) == [1, 2]
    assert again.skipped == 1
    again.close()


def test_a_full_disk_takes_nothing_and_says_so(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    log = OpLog(tmp_path / "a.db")
    log.path.symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"space|full"):
        log.append([op(1)])
    assert log.last_seq == 0
    log.close()


def test_rotation_keeps_what_no_snapshot_holds(tmp_path):
    log = OpLog(tmp_path / "a.db")
    log.append([op(1)])
    log.rotate()
    log.append([op(2)])
    log.rotate()  # the first snapshot failed: nothing may be lost
    log.append([op(3)])
    assert numbers(log) == [1, 2, 3]
    log.drop_old()
    assert numbers(log) == [2, 3]
    log.sync()
    log.close()


def test_lines_of_no_write_are_not_one():
    assert op_of(op(5).line()) == Op(seq=5, query="remove_state", params={"key": "ä5"}, durable=True)
    assert op_of(b"null") is None


def test_the_backlog_drops_the_oldest_that_is_not_durable():
    backlog = Backlog(capacity=3)
    assert backlog.add([op(1, durable=True), op(2), op(3)], bounded=True) == []
    assert [each.seq for each in backlog.add([op(4), op(5)], bounded=True)] == [2, 3]
    assert [each.seq for each in backlog.add([op(6, durable=True), op(7, durable=True)], bounded=True)] == [4, 5]
    assert [each.seq for each in backlog.add([op(8, durable=True)], bounded=True)] == [1]
    assert backlog.add([op(9)], bounded=False) == []
    backlog.done(7)
    assert [each.seq for each in backlog] == [8, 9]


async def test_every_statement_is_understood_by_the_schema(store):
    database = store._vault.database
    assert database is not None
    for name, text in statements().items():
        names = {word for word in text.replace("(", " ").replace(")", " ").replace(",", " ").split() if word[0] == ":"}
        params = {word[1:].rstrip(";"): None for word in names}
        assert list(await database._connection.execute_fetchall(f"EXPLAIN {text}", params)), name


def test_migrations_are_numbered_without_gaps():
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))
