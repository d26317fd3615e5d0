"""The sqlite check on real files: damage, locks, logs that grow, space that is not used, and the tidying."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from autonomyd.host.databases.failure import DatabaseFailure
from autonomyd.host.databases.sqlite import sqlite_facts, sqlite_optimize
from autonomyd.model.reading import ReadingState
from autonomyd.monitor.probes.sqlite import SqliteOptions, SqliteProbe
from autonomyd.testing import ManualClock

OK, FAILED, UNKNOWN = ReadingState.OK, ReadingState.FAILED, ReadingState.UNKNOWN


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "app's %41.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = off")
        connection.execute("create table t(id integer primary key, text)")
        connection.execute("begin")
        connection.executemany("insert into t(text) values (?)", [("x" * 1000,)] * 4000)
        connection.execute("commit")
    return path


def probe_of(file: Path, clock: ManualClock | None = None, **options: Any) -> SqliteProbe:
    return SqliteProbe(SqliteOptions(type="sqlite", file=str(file), **options), clock or ManualClock())


async def test_a_file_that_is_well(file: Path) -> None:
    look = await probe_of(file).look()
    assert look.state is OK, look.message
    assert 4.0 < look.values["size_mb"] < 6.0
    assert look.values["free_percent"] == 0.0


async def test_a_file_that_is_gone(file: Path) -> None:
    file.unlink()
    look = await probe_of(file).look()
    assert (look.state, look.message) == (FAILED, f"{file}: {file} does not exist")


async def test_damage_is_found_when_it_is_due_and_its_end_at_once(file: Path) -> None:
    clock = ManualClock()
    probe = probe_of(file, clock, integrity_every_s=100.0)
    assert (await probe.look()).state is OK
    good = file.read_bytes()
    with file.open("r+b") as out:
        out.seek(4096 * 20)
        out.write(b"\xff" * 4096 * 3)
    assert (await probe.look()).state is OK, "the whole file is not read at every look"
    clock.advance(100.0)
    look = await probe.look()
    assert look.state is FAILED
    assert "is damaged" in look.message
    assert len(look.message) < 600
    file.write_bytes(good)
    assert (await probe.look()).state is OK


async def test_what_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "no.db"
    path.write_bytes(b"this is not a database file at all, but a text" * 100)
    look = await probe_of(path).look()
    assert look.state is FAILED
    assert "not a database" in look.message


async def test_a_lock_tells_nothing(tmp_path: Path) -> None:
    path = tmp_path / "plain.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("create table t(x)")
        writer.execute("begin exclusive")
        look = await probe_of(path, timeout_s=0.2).look()
        assert look.state is UNKNOWN
        assert "locked" in look.message
        writer.execute("rollback")
    assert (await probe_of(path).look()).state is OK


async def test_a_check_that_takes_too_long_is_ended(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[bool] = []

    def slow(path: str, *, busy_s: float, given_up: list[bool]) -> str:
        while not given_up:
            pass
        ended.append(True)
        return ""

    monkeypatch.setattr("autonomyd.monitor.probes.sqlite.sqlite_damage", slow)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await probe_of(file).look()
    async with asyncio.timeout(5):
        while not ended:
            await asyncio.sleep(0.01)


def test_a_log_that_grew_is_written_back_and_cut(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("pragma wal_autocheckpoint = 0")
        writer.execute("begin")
        writer.executemany("insert into t(text) values (?)", [("y" * 1000,)] * 4000)
        writer.execute("commit")
        assert sqlite_facts(str(file), busy_s=1.0).wal_bytes > 4_000_000
        words = sqlite_optimize(str(file), vacuum=False, busy_s=1.0)
        assert sqlite_facts(str(file), busy_s=1.0).wal_bytes == 0
        assert "with its log had" in words
        assert writer.execute("select count(*) from t").fetchone() == (8000,)


def test_a_reader_keeps_the_log_and_that_is_told(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from t").fetchone()
        with closing(sqlite3.connect(file)) as writer, writer:
            writer.execute("insert into t(text) values ('z')")
        with pytest.raises(DatabaseFailure, match="in use by a reader"):
            sqlite_optimize(str(file), vacuum=False, busy_s=0.1)


def test_unused_space_is_given_back(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("delete from t where id > 100")
    before = sqlite_facts(str(file), busy_s=1.0)
    assert before.free_bytes > 0.8 * before.bytes
    sqlite_optimize(str(file), vacuum=True, busy_s=1.0)
    after = sqlite_facts(str(file), busy_s=1.0)
    assert after.bytes < 0.2 * before.bytes
    assert after.free_bytes == 0
    with closing(sqlite3.connect(file)) as reader:
        assert reader.execute("select count(*) from t").fetchone() == (100,)
