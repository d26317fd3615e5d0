"""The database with what keeps it from losing anything: the log, the backlog, the snapshot, the way back from faults.

Every method that touches the connection runs under the store's lock. None raises for a database that is not well:
the fault is kept in `fault`, what was written waits in `backlog` and in the log, and `retry` tries again."""

import asyncio
import heapq
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.knowledge.backlog import Backlog
from autonomyd.knowledge.database import MEMORY, Database, is_missing
from autonomyd.knowledge.errors import Fault, FaultKind, StoreTooNew, fault_of
from autonomyd.knowledge.oplog import OpLog
from autonomyd.knowledge.snapshot import restore_snapshot, set_aside, snapshot_path, take_snapshot
from autonomyd.knowledge.statements import statements
from autonomyd.knowledge.write import Op

CHUNK = 500  # writes in one transaction
REOPEN = frozenset({FaultKind.UNUSABLE, FaultKind.READ_ONLY, FaultKind.CORRUPT})

log = structlog.get_logger(__name__)


class Vault:
    """`applied` is the number of the last write in the database; `stand_in` says the database is one in memory
    because the file cannot be opened; `log_reason` says why the log takes nothing ("" while it does)."""

    def __init__(self, path: str, *, clock: Clock, backlog: Backlog) -> None:
        self.path = Path(path)
        self.in_memory = path == MEMORY
        self.backlog = backlog
        self.oplog = None if self.in_memory else OpLog(self.path)
        self.database: Database | None = None
        self.fault: Fault | None = None
        self.applied = 0
        self.unlogged = 0
        self.stand_in = False
        self.log_reason = ""
        self.notice = ""
        self.refused = 0
        self._clock = clock
        self._rebuilding = False

    async def start(self) -> None:
        """Open the file, or stand in for it, and bring in what the log holds. Raises StoreTooNew."""
        if self.oplog is not None:
            self._open_log(self.oplog)
        try:
            await self._connect()
        except (sqlite3.Error, OSError) as error:
            self._set_fault(fault_of(error) or Fault(kind=FaultKind.UNUSABLE, reason=str(error)))
            await self._stand_in()
        await self.replay()
        if self.applied and not self.in_memory and not snapshot_path(self.path).exists():
            self.unlogged = self.applied  # what came before is in no snapshot and perhaps in no log

    def record(self, ops: list[Op]) -> bool:
        """Append `ops` to the log, with those that it refused before; False when it takes nothing."""
        if self.oplog is None:
            return True
        late = [op for op in self.backlog if op.seq > self.oplog.last_seq] if self.log_reason else []
        try:
            self.oplog.append([*late, *ops])
        except OSError as error:
            if not self.log_reason:
                log.error("store_log_failed", path=str(self.oplog.path), reason=error.strerror)
            self.log_reason = error.strerror or str(error)
            self.unlogged = ops[-1].seq
            return False
        self.log_reason = ""
        return True

    async def sync_log(self) -> None:
        """Bring the log to the disk, for durable writes that the database does not take."""
        if self.oplog is None or self.log_reason:
            return
        try:
            await asyncio.to_thread(self.oplog.sync)
        except OSError as error:
            self.log_reason = error.strerror or str(error)

    async def drain(self) -> bool:
        """Write the backlog into the database; False when it takes none."""
        while batch := self.backlog.first(CHUNK):
            if not await self._apply(batch):
                return False
        return True

    async def replay(self) -> bool:
        """Write everything that the log and the backlog have and the database has not, then clear the fault."""
        assert self.database is not None
        try:
            self.applied = int((await self.database.fetch("applied_seq", {}))[0][0])
        except (sqlite3.Error, ValueError) as error:
            await self.failed(error)
            return self.fault is None
        wrote = True
        while wrote:  # until a look finds nothing more: what came meanwhile may be in the log only
            wrote = False
            waiting = self._waiting(self.applied)
            while batch := list(islice(waiting, CHUNK)):
                if not await self._apply(batch):
                    return False
                wrote = True
        if self.oplog is not None and self.oplog.skipped:
            log.warning("store_log_lines_skipped", path=str(self.oplog.path), count=self.oplog.skipped)
        if self.stand_in:
            return False
        if self.fault is not None:
            log.info("store_recovered", path=str(self.path), was=self.fault.kind.value)
        self.fault = None
        return True

    async def retry(self) -> bool:
        """Try again after a fault; True when the database is well and has everything."""
        if self.fault is not None and (self.stand_in or self.fault.kind in REOPEN):
            before = self.database
            if not self.stand_in:
                await _close(before)  # first: closing later would remove the side files of a new file of this name
            try:
                await self._connect()
            except (sqlite3.Error, OSError, StoreTooNew) as error:
                self._set_fault(fault_of(error) or Fault(kind=FaultKind.UNUSABLE, reason=str(error)))
                if not self.stand_in:
                    await self._stand_in()
                return False
            await _close(before)
        return await self.replay()

    async def failed(self, error: Exception) -> None:
        """Take note of a fault; a damaged file is replaced at once by the snapshot and the log."""
        fault = fault_of(error) or Fault(kind=FaultKind.UNUSABLE, reason=str(error))
        self._set_fault(fault)
        if fault.kind is FaultKind.CORRUPT and not self.in_memory and not self.stand_in and not self._rebuilding:
            await self._rebuild(fault.reason)

    async def snapshot(self, lock: asyncio.Lock) -> bool:
        """Take a snapshot and drop the log that it holds. The lock is not held while the copy is made."""
        if self.oplog is None:
            return False
        async with lock:
            if self.fault is not None or not await self.drain() or self.backlog:
                return False
            held_before = self.applied
            try:
                self.oplog.rotate()
            except OSError as error:
                log.warning("store_snapshot_failed", reason=str(error))
                return False
        try:
            held = await asyncio.to_thread(take_snapshot, self.path)
            if held >= held_before:
                self.oplog.drop_old()
        except (sqlite3.Error, OSError) as error:
            log.warning("store_snapshot_failed", reason=str(error))
            if (fault := fault_of(error)) is not None and fault.kind is FaultKind.CORRUPT:
                async with lock:
                    await self.failed(error)
            return False
        if held >= self.unlogged:
            self.unlogged = 0
            self.log_reason = ""  # nothing is missing, and there is room again; the next write tells if it is not so
        return True

    async def close(self) -> None:
        await _close(self.database)
        if self.oplog is not None:
            self.oplog.close()

    async def _apply(self, batch: list[Op]) -> bool:
        assert self.database is not None
        try:
            refused = await self.database.apply(batch)
        except (sqlite3.Error, OSError, ValueError) as error:
            await self.failed(error)
            return self.fault is None  # a damaged file may be whole again
        for op, reason in refused:
            self.refused += 1
            log.error("store_write_refused", query=op.query, reason=reason)
        self.applied = max(self.applied, batch[-1].seq)
        if not self.stand_in:
            self.backlog.done(self.applied)
        return True

    def _waiting(self, after: int) -> Iterator[Op]:
        logged = self.oplog.read(after=after) if self.oplog is not None else iter(())
        held = [op for op in self.backlog if op.seq > after]
        last = after
        for op in heapq.merge(logged, held, key=lambda each: each.seq):
            if op.seq > last and op.query in statements():
                last = op.seq
                yield op

    async def _connect(self) -> None:
        """Open the file, with the snapshot in its place when it is missing or damaged."""
        path = str(self.path)
        if self.in_memory:
            self.database = await Database.open(MEMORY)
            return
        if is_missing(self.path) and await asyncio.to_thread(restore_snapshot, self.path):
            self._tell("the database was missing; it was restored from its snapshot and log")
        try:
            self.database = await Database.open(path)
        except sqlite3.Error as error:
            fault = fault_of(error)
            if fault is None or fault.kind is not FaultKind.CORRUPT:
                raise
            await self._replace(fault.reason)
            self.database = await Database.open(path)
        self.stand_in = False

    async def _replace(self, reason: str) -> None:
        aside = await asyncio.to_thread(set_aside, self.path, wall=self._clock.wall())
        restored = await asyncio.to_thread(restore_snapshot, self.path)
        source = "its snapshot and log" if restored else "its log"
        self._tell(f"the database was damaged ({reason}); it was restored from {source}, the old file is {aside.name}")

    async def _rebuild(self, reason: str) -> None:
        self._rebuilding = True
        try:
            await _close(self.database)
            await self._replace(reason)
            await self._connect()
            await self.replay()
        except (sqlite3.Error, OSError, StoreTooNew) as error:
            self._set_fault(fault_of(error) or Fault(kind=FaultKind.UNUSABLE, reason=str(error)))
            await self._stand_in()
        finally:
            self._rebuilding = False

    async def _stand_in(self) -> None:
        """A database in memory with what the unwritable file or its snapshot can still tell."""
        self.stand_in = True
        self.database = await Database.open(MEMORY)
        for source in (self.path, snapshot_path(self.path)):
            try:
                await self.database.copy_from(str(source))
            except sqlite3.Error:
                continue
            return

    def _open_log(self, oplog: OpLog) -> None:
        try:
            oplog.open()
        except OSError as error:
            self.log_reason = error.strerror or str(error)

    def _set_fault(self, fault: Fault) -> None:
        if self.fault is None or self.fault.kind is not fault.kind:
            log.error("store_degraded", path=str(self.path), kind=fault.kind.value, reason=fault.reason)
        self.fault = fault

    def _tell(self, message: str) -> None:
        self.notice = message
        log.warning("store_restored", path=str(self.path), message=message)


async def _close(database: Database | None) -> None:
    if database is not None:
        with suppress(sqlite3.Error, ValueError):  # a damaged or vanished file cannot be closed better
            await database.close()
