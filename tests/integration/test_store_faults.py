"""A database that is locked, full, read-only or out of reach: callers go on, status says it, nothing is lost."""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.knowledge.events import Events
from autonomyd.knowledge.states import States
from autonomyd.knowledge.store import Store
from autonomyd.model.event import Event
from autonomyd.model.service import Intent
from autonomyd.model.subject import HOST

TOO_LONG_S = 20.0


def told(number: int, size: int = 10) -> Event:
    return Event(at=float(number), kind="k", subject=HOST, message=f"event {number} " + "x" * size)


async def messages(store: Store) -> list[int]:
    return [int(each.message.split()[1]) for each in await Events(store).recent(limit=10**6)][::-1]


async def until(condition) -> None:
    async with asyncio.timeout(TOO_LONG_S):
        while not condition():
            await asyncio.sleep(0.01)


async def durable_event(store: Store, number: int) -> None:
    await Events(store).add(told(number))
    await States(store, clock=SystemClock()).put("n", number, durable=True)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("needs root and mount")
    made = subprocess.run([mount, "-t", "tmpfs", "-o", "size=2m", "none", str(folder)], capture_output=True)
    if made.returncode:
        pytest.skip("may not mount here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_locked_by_another_program(tmp_path):
    path = tmp_path / "a.db"
    store = await Store.open(str(path), clock=SystemClock())
    await durable_event(store, 0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        started = time.perf_counter()
        for number in range(1, 200):
            await durable_event(store, number)
        assert time.perf_counter() - started < 5.0  # one time-out of 0.25 s, not 199
        status = store.status()
        assert status.state == "degraded"
        assert status.pending >= 199
        assert "locked" in status.message
        assert "fuser" in status.message
        assert await messages(store) == [0]  # the last good answer, without an exception
        other.execute("ROLLBACK")
    await until(lambda: store.status().state == "ok")  # by its own retry
    assert store.status().pending == 0
    assert await messages(store) == list(range(200))
    await store.close()


async def test_killed_while_locked_loses_nothing(tmp_path):
    path = tmp_path / "a.db"
    store = await Store.open(str(path), clock=SystemClock())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for number in range(20):
            await durable_event(store, number)
        lines = [json.loads(line) for line in (tmp_path / "a.db.oplog.jsonl").read_text().splitlines()]
        assert [line[0] for line in lines] == sorted(line[0] for line in lines)
        for file in tmp_path.iterdir():
            (tmp_path / "copy").mkdir(exist_ok=True)
            if file.is_file() and not file.name.endswith("-shm"):
                shutil.copy(file, tmp_path / "copy")
    after_kill = await Store.open(str(tmp_path / "copy" / "a.db"), clock=SystemClock())
    assert await messages(after_kill) == list(range(20))
    await after_kill.close()
    await store.close()


async def test_more_than_memory_holds_comes_back_from_the_log(tmp_path):
    path = tmp_path / "a.db"
    store = await Store.open(str(path), clock=SystemClock(), capacity=50)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        await durable_event(store, 0)
        for number in range(1, 300):
            await Events(store).add(told(number))
        assert store.status().pending == 50
        other.execute("ROLLBACK")
    await store.maintain()
    assert store.status().state == "ok"
    assert await messages(store) == list(range(300))
    await store.close()


async def test_locked_while_it_opens(tmp_path):
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE mine (a)")
        other.execute("BEGIN EXCLUSIVE")
        store = await Store.open(str(path), clock=SystemClock())
        assert store.status().state == "degraded"
        await durable_event(store, 1)
        assert await messages(store) == [1]  # from the one in memory that stands in
        await durable_event(store, 2)
        other.execute("ROLLBACK")
    await store.maintain()
    assert store.status().state == "ok"
    assert await messages(store) == [1, 2]
    await store.close()


async def test_full_by_page_count(tmp_path):
    store = await Store.open(str(tmp_path / "a.db"), clock=SystemClock())
    await durable_event(store, 0)
    assert store._vault.database is not None
    connection = store._vault.database._connection
    pages = (await connection.execute_fetchall("PRAGMA page_count"))[0][0]  # type: ignore[index]
    await connection.execute(f"PRAGMA max_page_count = {pages}")
    for number in range(1, 40):
        await Events(store).add(told(number, size=2000))
    await store.flush()
    assert store.status().state == "degraded"
    assert "full" in store.status().message
    assert "free disk space" in store.status().message
    assert 0 in await messages(store)
    await connection.execute("PRAGMA max_page_count = 100000")
    await store.maintain()
    assert store.status().state == "ok"
    assert await messages(store) == list(range(40))
    await store.close()


@pytest.mark.real
async def test_a_disk_that_is_really_full(small_disk):
    path = small_disk / "a.db"
    store = await Store.open(str(path), clock=SystemClock())
    await durable_event(store, 0)
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            pass
    for number in range(1, 300):
        await Events(store).add(told(number, size=500))
    await durable_event(store, 300)
    status = store.status()
    assert status.state == "degraded"
    assert "in memory only" in status.message
    assert status.pending > 100
    assert isinstance(await messages(store), list)
    await store.maintain()
    assert store.status().state == "degraded"
    ballast.unlink()
    await store.maintain()
    assert await messages(store) == list(range(301))
    await durable_event(store, 301)
    await store.maintain()
    assert store.status().state == "ok"
    await store.close()
    again = await Store.open(str(path), clock=SystemClock())
    assert await messages(again) == list(range(302))
    await again.close()


@pytest.mark.real
async def test_a_file_system_that_turns_read_only(small_disk):
    path = small_disk / "a.db"
    store = await Store.open(str(path), clock=SystemClock())
    await States(store, clock=SystemClock()).set_intent("web", Intent.STOPPED)
    await durable_event(store, 0)
    await store.close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    store = await Store.open(str(path), clock=SystemClock())
    assert store.status().state == "degraded"
    assert await States(store, clock=SystemClock()).intents() == {"web": Intent.STOPPED}  # a person's word is kept
    await durable_event(store, 1)
    await store.maintain()
    assert store.status().state == "degraded"
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    await store.maintain()
    await durable_event(store, 2)
    assert store.status().state == "ok"
    assert await messages(store) == [0, 1, 2]
    await store.close()


async def test_a_connection_that_may_only_read(tmp_path):
    store = await Store.open(str(tmp_path / "a.db"), clock=SystemClock())
    await durable_event(store, 0)
    assert store._vault.database is not None
    await store._vault.database._connection.execute("PRAGMA query_only = ON")
    await durable_event(store, 1)
    assert store.status().state == "degraded"
    assert "read-only" in store.status().message
    await store.maintain()
    assert store.status().state == "ok"
    assert await messages(store) == [0, 1]
    await store.close()


async def test_a_folder_that_is_not_there(tmp_path):
    missing = tmp_path / "not" / "there"
    store = await Store.open(str(missing / "a.db"), clock=SystemClock())
    assert store.status().state == "degraded"
    first = store.next_id("issue")
    assert first > 1_000_000  # above whatever the file holds
    for number in range(30):
        await durable_event(store, number)
    assert await messages(store) == list(range(30))
    missing.mkdir(parents=True)
    await store.maintain()
    await durable_event(store, 30)
    assert store.status().state == "ok"
    assert await messages(store) == list(range(31))
    await store.close()
    again = await Store.open(str(missing / "a.db"), clock=SystemClock())
    assert await messages(again) == list(range(31))
    await again.close()


async def test_memory_that_is_bounded_drops_the_oldest_and_counts(tmp_path):
    store = await Store.open(str(tmp_path / "no" / "a.db"), clock=SystemClock(), capacity=10)
    for number in range(25):
        await Events(store).add(told(number))
    assert store.status().pending == 10
    assert "15 writes were lost" in store.status().message
    await store.close()


async def test_cancelled_callers_leave_no_transaction_open(tmp_path):
    store = await Store.open(str(tmp_path / "a.db"), clock=SystemClock())
    for number in range(50):
        task = asyncio.ensure_future(durable_event(store, number))
        for _ in range(number % 4):
            await asyncio.sleep(0)
        task.cancel()
    await durable_event(store, 50)
    assert 50 in await messages(store)
    assert store.status().state == "ok"
    with closing(sqlite3.connect(Path(tmp_path / "a.db"), timeout=0)) as other:
        other.execute("BEGIN IMMEDIATE")
    await store.close()


async def test_many_durable_writers_share_commits(tmp_path):
    store = await Store.open(str(tmp_path / "a.db"), clock=SystemClock())
    await asyncio.gather(*(durable_event(store, number) for number in range(300)))
    assert sorted(await messages(store)) == list(range(300))
    await store.close()


async def test_a_log_that_takes_nothing_while_the_database_does(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    path = tmp_path / "a.db"
    store = await Store.open(str(path), clock=SystemClock())
    assert store._vault.oplog is not None
    store._vault.oplog.close()
    (tmp_path / "a.db.oplog.jsonl").unlink()
    (tmp_path / "a.db.oplog.jsonl").symlink_to("/dev/full")
    await Events(store).add(told(1))
    assert store.status().state == "degraded"
    assert "log of the database" in store.status().message
    with closing(sqlite3.connect(path)) as other:  # acknowledged only when the database has it
        assert other.execute("SELECT count(*) FROM events").fetchone() == (1,)
    assert await messages(store) == [1]
    await store.maintain()  # a snapshot has what the log lacks, and a new log is begun
    await Events(store).add(told(2))
    assert store.status().state == "ok"
    path.unlink()
    await store._vault.close()
    store._closed = True
    again = await Store.open(str(path), clock=SystemClock())
    assert await messages(again) == [1, 2]
    await again.close()


async def test_nothing_wakes_while_idle(tmp_path):
    store = await Store.open(str(tmp_path / "a.db"), clock=SystemClock())
    assert store._timer is None
    await Events(store).add(told(1))
    assert store.status().pending == 1
    await until(lambda: store.status().pending == 0)  # by its own timer
    await until(lambda: not store._tasks)
    assert store._timer is None
    await store.close()
