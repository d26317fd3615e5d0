"""A daemon killed with -9 in the middle of its writes: whatever it acknowledged is there when the store opens again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.knowledge.store import Store

ROOT = Path(__file__).resolve().parents[2]
TOO_LONG_S = 30.0

WRITER = """
import asyncio, os, sys
from autonomyd.aio.clock import SystemClock
from autonomyd.knowledge.store import Store
from autonomyd.knowledge.write import Write

async def main(path):
    store = await Store.open(path, clock=SystemClock())
    while True:
        number = store.next_id("goal")
        write = Write(query="upsert_goal", params={"id": number, "key": "k", "type": "t", "priority": 1,
            "state": "pending", "created_at": 1.0, "updated_at": 1.0, "body": "{}"})
        await store.put(write, durable=number % 5 == 0)
        os.write(1, b"%d\\n" % number)
        if number % 50 == 0:
            await asyncio.sleep(0)
        if number % 700 == 0:
            await store.maintain()

asyncio.run(main(sys.argv[1]))
"""


def write_until(path: Path, acknowledged: int) -> list[int]:
    """Run the writer, kill it as soon as it has acknowledged that many, and return what it acknowledged."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, env=environment, text=True
    )
    assert writer.stdout is not None
    seen = [int(writer.stdout.readline()) for _ in range(acknowledged)]
    writer.send_signal(signal.SIGKILL)
    rest, _ = writer.communicate(timeout=TOO_LONG_S)
    assert writer.returncode == -signal.SIGKILL
    lines = rest.split("\n")[:-1]  # the part after the last line end was not acknowledged
    return seen + [int(line) for line in lines]


async def ids(path: Path) -> tuple[list[int], int, str]:
    store = await Store.open(str(path), clock=SystemClock())
    found = sorted(row["id"] for row in await store.fetch("all_goal_ids"))
    state = store.status()
    following = store.next_id("goal")
    await store.close()
    return found, following, state.state


@pytest.fixture(autouse=True)
def every_id(monkeypatch):
    """A statement that only this test asks."""
    from autonomyd.knowledge import database, statements

    asked = {**statements.statements(), "all_goal_ids": "SELECT id FROM goals"}
    monkeypatch.setattr(database, "statements", lambda: asked)


@pytest.mark.parametrize("count", [1, 37, 800, 2500])
async def test_killed_writer_loses_nothing_acknowledged(tmp_path, count):
    path = tmp_path / "a.db"
    acknowledged = write_until(path, count)
    found, following, state = await ids(path)
    assert set(acknowledged) <= set(found)
    assert following == found[-1] + 1
    assert state == "ok"


async def test_killed_again_and_again_and_the_file_destroyed(tmp_path):
    path = tmp_path / "a.db"
    acknowledged: set[int] = set()
    for count in (300, 900, 20, 1500):
        acknowledged |= set(write_until(path, count))
    for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        name.unlink(missing_ok=True)
    found, _, _ = await ids(path)
    assert acknowledged <= set(found)
