"""Writes, kills, locks, damage and read-only spells in any order: the store has exactly what was acknowledged."""

import asyncio
import os
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.knowledge.store import Store
from autonomyd.knowledge.write import Write

STEPS = 50
CAPACITY = 30
DEEDS = {
    "put": 20, "burst": 6, "durable": 10, "cancel": 4, "flush": 5, "maintain": 3, "snapshot": 4, "lock": 3,
    "unlock": 6, "read_only": 2, "kill": 4, "close": 2, "corrupt": 2, "unlink": 1,
}  # fmt: skip


class Storm:
    """One store, what it should hold, and what may happen to it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.path = folder / "a.db"
        self.random = random.Random(seed)
        self.want: dict[str, str] = {}
        self.count = 0
        self.other: sqlite3.Connection | None = None
        self.store: Store

    async def open(self) -> None:
        self.store = await Store.open(str(self.path), clock=SystemClock(), capacity=CAPACITY)

    async def compare(self) -> None:
        rows = await self.store.fetch("states_with_prefix", {"prefix": ""})
        assert {row["key"]: row["body"] for row in rows} == self.want

    def writes(self, most: int) -> list[Write]:
        found = []
        for _ in range(self.random.randint(1, most)):
            self.count += 1
            key = f"k{self.random.randint(0, 40)}"
            if self.random.random() < 0.1:
                self.want.pop(key, None)
                found.append(Write(query="remove_state", params={"key": key}))
            else:
                self.want[key] = str(self.count)
                found.append(Write(query="put_state", params={"key": key, "at": 1.0, "body": str(self.count)}))
        return found

    async def put(self) -> None:
        await self.store.put(*self.writes(4))

    async def durable(self) -> None:
        await self.store.put(*self.writes(4), durable=True)

    async def burst(self) -> None:
        await asyncio.gather(*(self.store.put(each) for each in self.writes(60)))

    async def cancel(self) -> None:
        task = asyncio.ensure_future(self.store.put(*self.writes(4), durable=True))
        for _ in range(self.random.randint(1, 4)):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def flush(self) -> None:
        await self.store.flush()

    async def maintain(self) -> None:
        await self.store.maintain()

    async def snapshot(self) -> None:
        await self.store._vault.snapshot(self.store._lock)

    async def lock(self) -> None:
        if self.other is None and self.path.exists():
            self.other = sqlite3.connect(self.path, isolation_level=None, timeout=0)
            try:
                self.other.execute("BEGIN EXCLUSIVE")
            except sqlite3.Error:
                await self.unlock()

    async def unlock(self) -> None:
        if self.other is not None:
            self.other.close()
        self.other = None

    async def read_only(self) -> None:
        if self.store._vault.fault is None and self.store._vault.database is not None:
            await self.store._vault.database._connection.execute("PRAGMA query_only = ON")

    async def close(self) -> None:
        await self.unlock()
        await self.store.close()
        await self.open()
        await self.compare()

    async def kill(self) -> None:
        """The files as they are at this moment; what closing does to them is undone."""
        await self._die(lambda: None)

    async def corrupt(self) -> None:
        await self._die(self._spoil)

    async def unlink(self) -> None:
        await self._die(lambda: self.path.unlink(missing_ok=True))

    async def _die(self, then) -> None:
        await self.unlock()
        if self.store._timer is not None:
            self.store._timer.cancel()
        copy = self.folder.with_name("copy")
        async with self.store._lock:
            self.store._closed = True
            shutil.copytree(self.folder, copy)
            await self.store._vault.close()
        shutil.rmtree(self.folder)
        copy.rename(self.folder)
        then()
        await self.open()
        await self.compare()

    def _spoil(self) -> None:
        for name in (self.path, Path(f"{self.path}-wal"), Path(f"{self.path}-shm")):
            if name == self.path or self.random.random() < 0.5:
                with name.open("r+b") if name.exists() else name.open("w+b") as file:
                    for _ in range(self.random.randint(1, 10)):
                        file.seek(self.random.randrange(30) * 4096)
                        file.write(os.urandom(4096))


@pytest.mark.parametrize("seed", [3, 14, 159, 265, 358, 979, 1136, 3238])
async def test_what_was_acknowledged_is_there(tmp_path, seed):
    folder = tmp_path / "store"
    folder.mkdir()
    storm = Storm(folder, seed)
    await storm.open()
    for _ in range(STEPS):
        deed = storm.random.choices(list(DEEDS), list(DEEDS.values()))[0]
        await getattr(storm, deed)()
    await storm.unlock()
    await storm.store.maintain()
    await storm.store.maintain()
    assert storm.store.status().state == "ok"
    await storm.compare()
    await storm.store.close()
