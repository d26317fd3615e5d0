"""A database that is damaged, in every way that we could think of: nothing acknowledged is lost, and it is said."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from autonomyd.knowledge.events import Events
from autonomyd.knowledge.store import Store
from autonomyd.model.event import Event
from autonomyd.model.subject import HOST

PAGE = 4096


class StillClock:
    now = 1_700_000_000.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(3 * PAGE))


def header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"not a database at all" * 5)


def middle(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        for at in range(2 * PAGE, size, PAGE):
            file.seek(at)
            file.write(b"\xa5" * PAGE)


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // PAGE * PAGE + 100)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def gone(path: Path) -> None:
    path.unlink()


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = [garbage, header, middle, truncated, empty, gone]


def told(number: int) -> Event:
    return Event(at=float(number), kind="k", subject=HOST, message=f"event {number} " + "x" * 100)


async def messages(store: Store) -> list[int]:
    return sorted(int(each.message.split()[1]) for each in await Events(store).recent(limit=10**6))


async def filled(path: Path, *, snapshot: bool) -> None:
    """A store with events 0..399, the last 100 of them only in the log and the file, left as by a kill."""
    store = await Store.open(str(path), clock=StillClock())
    await Events(store).add(*(told(number) for number in range(300)))
    if snapshot:
        assert await store._vault.snapshot(store._lock)
    await Events(store).add(*(told(number) for number in range(300, 350)))
    await store.flush()
    await Events(store).add(*(told(number) for number in range(350, 400)))
    if store._timer is not None:
        store._timer.cancel()
    await store._vault.close()
    store._closed = True


@pytest.mark.parametrize("snapshot", [True, False])
@pytest.mark.parametrize("damage", DAMAGES)
async def test_damaged_before_open(tmp_path, damage, snapshot):
    path = tmp_path / "a.db"
    await filled(path, snapshot=snapshot)
    damage(path)
    store = await Store.open(str(path), clock=StillClock())
    assert await messages(store) == list(range(400))
    assert store.status().state == "ok"
    aside = list(tmp_path.glob("a.db.corrupt-*"))
    if damage in (garbage, header, middle, truncated):
        assert [each.name for each in aside] == ["a.db.corrupt-20231114T221320Z"]
        assert aside[0].name in store.status().message
    await Events(store).add(told(400))
    await store.close()
    again = await Store.open(str(path), clock=StillClock())
    assert await messages(again) == list(range(401))
    assert again.status().message == ""
    await again.close()


@pytest.mark.parametrize("damage", [garbage, header, middle])
async def test_damaged_while_running(tmp_path, damage):
    path = tmp_path / "a.db"
    store = await Store.open(str(path), clock=StillClock())
    await Events(store).add(*(told(number) for number in range(300)))
    await store.maintain()
    assert store._vault.database is not None
    await store._vault.database._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    await store._vault.database._connection.execute("PRAGMA cache_size = 1")
    damage(path)
    for number in range(300, 400):
        await Events(store).add(told(number))
        if number % 10 == 0:
            await store.flush()
    assert await messages(store) == list(range(400))
    assert store.status().state == "ok"
    if damage is not header:  # the connection has the first page in memory and writes it again: that heals by itself
        assert "damaged" in store.status().message
    await store.close()
    again = await Store.open(str(path), clock=StillClock())
    assert await messages(again) == list(range(400))
    await again.close()
    with closing(sqlite3.connect(path)) as check:
        assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_damaged_snapshot_too_leaves_what_the_log_has(tmp_path):
    path = tmp_path / "a.db"
    await filled(path, snapshot=True)
    garbage(path)
    garbage(tmp_path / "a.db.snapshot")
    store = await Store.open(str(path), clock=StillClock())
    assert await messages(store) == list(range(300, 400))
    assert "restored from its log" in store.status().message
    await store.close()


async def test_a_damaged_database_never_replaces_a_good_snapshot(tmp_path):
    path = tmp_path / "a.db"
    store = await Store.open(str(path), clock=StillClock())
    await Events(store).add(*(told(number) for number in range(300)))
    assert await store._vault.snapshot(store._lock)
    good = (tmp_path / "a.db.snapshot").read_bytes()
    assert store._vault.database is not None
    await store._vault.database._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    await Events(store).add(told(300))
    middle(path)
    assert not await store._vault.snapshot(store._lock)
    assert (tmp_path / "a.db.snapshot").read_bytes() == good
    assert await messages(store) == list(range(301))
    await store.close()


async def test_at_most_three_damaged_files_are_kept(tmp_path):
    path = tmp_path / "a.db"
    clock = StillClock()
    for _ in range(5):
        clock.now += 60
        store = await Store.open(str(path), clock=clock)
        await Events(store).add(told(1))
        await store.close()
        header(path)
    store = await Store.open(str(path), clock=clock)
    assert len(list(tmp_path.glob("a.db.corrupt-*"))) == 3
    assert len(await Events(store).recent()) == 5
    await store.close()


async def test_a_torn_log_and_strange_lines(tmp_path):
    path = tmp_path / "a.db"
    await filled(path, snapshot=True)
    gone(path)
    with (tmp_path / "a.db.oplog.jsonl").open("ab") as file:
        file.write(b'[99999,"statement_of_another_version",{}]\n[1,2]\n[100000,"put_ev')
    store = await Store.open(str(path), clock=StillClock())
    assert await messages(store) == list(range(400))
    await Events(store).add(told(400))
    await store.close()
    again = await Store.open(str(path), clock=StillClock())
    assert await messages(again) == list(range(401))
    await again.close()


async def test_a_folder_in_the_place_of_the_file(tmp_path):
    path = tmp_path / "a.db"
    await filled(path, snapshot=True)
    folder(path)
    store = await Store.open(str(path), clock=StillClock())
    assert store.status().state == "degraded"
    await Events(store).add(told(400))
    path.rmdir()
    await store.maintain()
    assert store.status().state == "ok"
    assert await messages(store) == list(range(401))
    await store.close()
