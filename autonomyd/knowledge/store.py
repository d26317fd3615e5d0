"""The one door to the database. Callers put writes and fetch rows; they never see a database that is not well.

A write is acknowledged once it is in the operation log (a killed daemon loses none of them) and goes to the database
in groups; a durable one is on the disk when `put` returns. While idle nothing wakes."""

import asyncio
import sqlite3
from collections.abc import Coroutine, Mapping
from typing import Any, Literal, TypeVar

import structlog

from autonomyd.aio.backoff import Backoff
from autonomyd.aio.clock import Clock
from autonomyd.knowledge.backlog import CAPACITY, Backlog
from autonomyd.knowledge.errors import ADVICE, FaultKind, StoreUnavailable, fault_of
from autonomyd.knowledge.retention import Retention, expired, squeezed
from autonomyd.knowledge.statements import statements
from autonomyd.knowledge.vault import CHUNK, Vault
from autonomyd.knowledge.write import Op, Value, Write, clean
from autonomyd.model.status import StoreStatus

FLUSH_DELAY_S = 0.5
RETRY = Backoff(first_s=2.0, cap_s=15.0, jitter=0.0)
SNAPSHOT_LOG_BYTES = 1024 * 1024
SNAPSHOT_EVERY_S = 3600.0
FORGET_EVERY_S = 3600.0
SQUEEZE_ROUNDS = 6

T = TypeVar("T")
Kind = Literal["issue", "fix", "goal", "candidate", "alert", "message", "approval", "prediction"]

log = structlog.get_logger(__name__)


class Store:
    """Make it with `await Store.open(path, clock=...)`; close it with `await close()`. One per database file."""

    def __init__(self, vault: Vault, *, clock: Clock, retention: Retention) -> None:
        self._vault = vault
        self._clock = clock
        self._retention = retention
        self._lock = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ids: dict[str, int] = {}
        self._seq = 0
        self._retries = 0
        self._dropped = 0
        self._maintained = -1
        self._snapshot_at = clock.monotonic()
        self._forgot_at: float | None = None
        self._closed = False

    @classmethod
    async def open(
        cls, path: str, *, clock: Clock, retention: Retention | None = None, capacity: int = CAPACITY
    ) -> "Store":
        """Open or create the database at `path` (":memory:" keeps all in memory, without files). A damaged file is
        replaced by its snapshot and log, one that cannot be opened is stood in for. Raises only StoreTooNew."""
        vault = Vault(path, clock=clock, backlog=Backlog(capacity))
        try:
            await vault.start()
        except BaseException:
            await vault.close()
            raise
        store = cls(vault, clock=clock, retention=retention or Retention())
        await store._number()
        if vault.fault is not None:
            store._schedule_retry()
        return store

    async def close(self) -> None:
        """Write what waits, take a snapshot when something was written since the last, and close. Idempotent."""
        if self._closed:
            return
        await self.flush()
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        vault = self._vault
        if vault.oplog is not None and vault.oplog.size:
            await vault.snapshot(self._lock)
        async with self._lock:
            if vault.fault is not None:
                await vault.sync_log()
            await vault.close()

    def next_id(self, kind: Kind) -> int:
        """A new id, never given before for this kind."""
        self._ids[kind] += 1
        return self._ids[kind]

    async def put(self, *writes: Write, durable: bool = False) -> None:
        """Take `writes`, in their order. When it returns they survive the death of the daemon, and with `durable`
        that of the machine. Raises KeyError or TypeError for a statement or a value that cannot be, and
        StoreUnavailable after `close`; nothing for a database that is not well."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        ops = [self._op(write, durable=durable) for write in writes]
        if not ops:
            return
        vault = self._vault
        logged = vault.record(ops)
        for gone in vault.backlog.add(ops, bounded=vault.fault is not None):
            if vault.oplog is None or gone.seq > vault.oplog.last_seq:
                self._dropped += 1
        if vault.fault is None:
            if durable or not logged or len(vault.backlog) >= CHUNK:
                await self.flush()
            else:
                self._schedule(FLUSH_DELAY_S)
        if durable and logged and vault.applied < ops[-1].seq:
            await vault.sync_log()

    async def fetch(self, query: str, params: Mapping[str, Value] | None = None) -> list[sqlite3.Row]:
        """Rows of the named statement, with everything put before. While the database takes no writes, those that
        wait are missing from the rows. Raises StoreUnavailable when it cannot be read at all."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if self._vault.stand_in or (self._vault.fault is None and self._vault.backlog):
            await self.flush()
        return await self._run(self._fetch(query, clean(params or {})))

    async def flush(self) -> None:
        """Bring the writes that wait into the database, when it is well."""
        await self._run(self._flush())

    def status(self) -> StoreStatus:
        """How the store is, with what a person can do when it is not well."""
        vault = self._vault
        parts = []
        if vault.fault is not None:
            kind = vault.fault.kind
            name = kind.value.replace("_", "-")
            where = "in memory only" if vault.log_reason else "in memory and in its log"
            parts.append(f"the database is {name}: {vault.fault.reason}; writes wait {where}; {ADVICE[kind]}")
        if vault.log_reason:
            parts.append(f"the log of the database cannot be written: {vault.log_reason}; {ADVICE[FaultKind.UNUSABLE]}")
        state = "degraded" if parts else "ok"
        if self._dropped:
            parts.append(f"{self._dropped} writes were lost because memory for them is bounded")
        if vault.notice:
            parts.append(vault.notice)
        if vault.refused:
            parts.append(f"{vault.refused} writes were refused as wrong; the daemon's log names them")
        return StoreStatus(state=state, path=str(vault.path), pending=len(vault.backlog), message="; ".join(parts))

    async def maintain(self) -> None:
        """Retry after a fault, forget what is old, take a snapshot when one is due, give space back. Call it every
        few minutes; it does nothing when nothing was written since the last call."""
        if self._closed:
            return
        if self._vault.fault is not None:
            await self._run(self._retry())
        else:
            await self.flush()
        if self._vault.fault is not None:
            return
        if self._vault.applied == self._maintained and not self._vault.unlogged:
            return
        await self._forget()
        if self._snapshot_due() and await self._vault.snapshot(self._lock):
            self._snapshot_at = self._clock.monotonic()
        await self._run(self._tidy())
        self._maintained = self._vault.applied

    async def _number(self) -> None:
        """Where ids and numbers of writes go on."""
        for row in await self._vault_fetch("last_ids", {}):
            self._ids[row["kind"]] = max(self._ids.get(row["kind"], 0), row["last"])
        logged = self._vault.oplog.last_seq if self._vault.oplog is not None else 0
        self._seq = max(self._vault.applied, logged)
        if self._vault.stand_in and not self._vault.applied:
            # nothing is known of the file: begin above anything that it can hold
            self._seq = max(self._seq, int(self._clock.wall() * 1000))
            self._ids = {kind: max(last, int(self._clock.wall())) for kind, last in self._ids.items()}

    def _op(self, write: Write, *, durable: bool) -> Op:
        if write.query not in statements():
            raise KeyError(write.query)
        self._seq += 1
        return Op(seq=self._seq, query=write.query, params=clean(write.params), durable=durable)

    async def _flush(self) -> None:
        async with self._lock:
            if self._vault.stand_in:
                await self._vault.replay()
            elif self._vault.fault is None:
                await self._vault.drain()
        if self._vault.fault is not None:
            self._schedule_retry()

    async def _retry(self) -> None:
        async with self._lock:
            well = self._vault.fault is None or await self._vault.retry()
        if not well:
            self._retries += 1
            self._schedule_retry()
            return
        self._retries = 0
        if self._vault.log_reason:
            await self.maintain()  # a snapshot holds what the log could not take

    async def _fetch(self, query: str, params: Mapping[str, Value]) -> list[sqlite3.Row]:
        async with self._lock:
            try:
                return await self._vault_fetch(query, params)
            except (sqlite3.Error, ValueError) as error:
                if fault_of(error) is None:
                    raise
                await self._vault.failed(error)
                failure = error
            if self._vault.fault is None:  # it was damaged and is whole again
                try:
                    return await self._vault_fetch(query, params)
                except (sqlite3.Error, ValueError) as error:
                    failure = error
        self._schedule_retry()
        raise StoreUnavailable(f"the database cannot be read: {failure}") from failure

    async def _vault_fetch(self, query: str, params: Mapping[str, Value]) -> list[sqlite3.Row]:
        assert self._vault.database is not None
        return await self._vault.database.fetch(query, params)

    async def _forget(self) -> None:
        now = self._clock.monotonic()
        if self._forgot_at is not None and now - self._forgot_at < FORGET_EVERY_S:
            return
        self._forgot_at = now
        await self.put(*expired(self._retention, wall=self._clock.wall()))
        for round_ in range(1, SQUEEZE_ROUNDS + 1):
            await self.flush()
            database = self._vault.database
            if self._vault.fault is not None or database is None:
                return
            if await database.size_bytes() <= self._retention.max_bytes:
                return
            log.warning("store_above_cap", max_bytes=self._retention.max_bytes, round=round_)
            await self.put(*squeezed(self._retention, wall=self._clock.wall(), round_=round_))

    def _snapshot_due(self) -> bool:
        oplog = self._vault.oplog
        if oplog is None:
            return False
        waited = self._clock.monotonic() - self._snapshot_at >= SNAPSHOT_EVERY_S
        return bool(self._vault.unlogged) or oplog.size >= SNAPSHOT_LOG_BYTES or (waited and oplog.size > 0)

    async def _tidy(self) -> None:
        async with self._lock:
            if self._vault.database is None or self._vault.fault is not None:
                return
            try:
                await self._vault.database.tidy()
            except (sqlite3.Error, ValueError) as error:
                await self._vault.failed(error)

    def _schedule_retry(self) -> None:
        self._schedule(RETRY.delay_s(self._retries))

    def _schedule(self, delay_s: float) -> None:
        if self._timer is None and not self._closed:
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._due)

    def _due(self) -> None:
        self._timer = None
        self._spawn(self._flush() if self._vault.fault is None else self._retry())

    async def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end even when the caller is cancelled: a transaction left open would hold up all others."""
        return await asyncio.shield(self._spawn(work))

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
