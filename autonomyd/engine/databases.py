"""What is asked of, and done to, the databases of a service for a decision: through the circuit breaker of each.

What speaks to a kind of database is imported with its first question: most machines have none that is checked."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from autonomyd.aio.dependency import Dependencies
from autonomyd.aio.offload import in_thread
from autonomyd.engine.managed import ManagedService
from autonomyd.engine.services import ServiceKeeper
from autonomyd.execute.handlers import StepFailure
from autonomyd.host.databases.failure import DatabaseFailure
from autonomyd.model.facts import SessionFacts, SqliteFile
from autonomyd.model.secrets import masked

if TYPE_CHECKING:
    from autonomyd.host.databases.session import Holder
    from autonomyd.monitor.probes.database import SqlOptions
    from autonomyd.monitor.probes.sqlite import SqliteOptions

MB = 1_000_000
BUSY_S = 2.0
"""How long a decision waits for a lock on an SQLite file."""

T = TypeVar("T")


class Sessions(Protocol):
    """A connection that sees and ends sessions."""

    async def holders(self) -> "tuple[Holder, ...]": ...

    async def end(self, session: int) -> bool: ...

    def close(self) -> None: ...


class DatabaseHands:
    """One for all services; connections are made for one question each."""

    def __init__(self, keeper: ServiceKeeper, dependencies: Dependencies) -> None:
        self._keeper = keeper
        self._dependencies = dependencies

    async def sessions(self, service: ManagedService) -> tuple[SessionFacts, ...]:
        """Who holds others up for longer than the configuration allows, at every server for which it allows to end
        them. Raises DatabaseFailure, DependencyOpen, TimeoutError."""
        found: list[SessionFacts] = []
        for name, options in _consenting(service).items():
            holders = await self._asked(options, lambda sessions: sessions.holders())
            found += [_facts(name, each) for each in holders if each.age_s >= (options.terminate_after_s or 0.0)]
        return tuple(found)

    async def end(self, service_name: str, check: str, wanted: tuple[int, ...]) -> str:
        """End those of `wanted` that still hold others up for too long. Raises StepFailure."""
        service = self._keeper.services.get(service_name)
        options = _consenting(service).get(check) if service is not None else None
        if options is None:
            raise StepFailure(f"{service_name} has no check {check} any more that allows to end sessions")

        async def act(sessions: Sessions) -> tuple[int, ...]:
            still = {each.id for each in await sessions.holders() if each.age_s >= (options.terminate_after_s or 0.0)}
            return tuple([id_ for id_ in wanted if id_ in still and await sessions.end(id_)])

        try:
            ended = await self._asked(options, act)
        except DatabaseFailure as failure:
            raise StepFailure(f"the sessions could not be ended: {failure.message}") from failure
        except TimeoutError:
            raise StepFailure(f"the server of {check} did not answer") from None
        if not ended:
            return "none of them holds others up any more"
        return f"ended {', '.join(map(str, ended))}" + _rest(len(wanted) - len(ended))

    async def sqlite(self, service: ManagedService) -> tuple[SqliteFile, ...]:
        """The SQLite files of the service's checks. Raises DatabaseFailure."""
        from autonomyd.monitor.probes.sqlite import SqliteOptions

        found: list[SqliteFile] = []
        for name, check in service.checks.items():
            options = check.settings
            if isinstance(options, SqliteOptions):
                found.append(await in_thread(_reading(name, options)))
        return tuple(found)

    async def optimize(self, path: str, *, vacuum: bool) -> str:
        """Tidy an SQLite file up. Raises StepFailure."""
        from autonomyd.host.databases.sqlite import sqlite_optimize

        try:
            return await in_thread(lambda: sqlite_optimize(path, vacuum=vacuum, busy_s=BUSY_S))
        except DatabaseFailure as failure:
            raise StepFailure(failure.message) from failure

    async def _asked(self, options: "SqlOptions", act: Callable[[Sessions], Awaitable[T]]) -> T:
        from autonomyd.monitor.probes.database import blames

        async def once() -> T:
            sessions = await _opened(options)
            try:
                return await act(sessions)
            finally:
                sessions.close()

        address = _address(options)
        return await self._dependencies.of(options.type, address).call(once, timeout_s=options.timeout_s, blames=blames)


def _consenting(service: ManagedService) -> "dict[str, SqlOptions]":
    """The checks whose options allow to end sessions, by name."""
    from autonomyd.monitor.probes.database import SqlOptions

    found = ((name, check.settings) for name, check in service.checks.items())
    return {
        name: options
        for name, options in found
        if isinstance(options, SqlOptions) and options.terminate_after_s is not None
    }


def _address(options: "SqlOptions") -> str:
    from autonomyd.monitor.probes.mysql import MysqlOptions, mysql_address
    from autonomyd.monitor.probes.postgres import PostgresOptions, postgres_address

    if isinstance(options, PostgresOptions):
        return postgres_address(options.dsn).shown
    assert isinstance(options, MysqlOptions)
    return mysql_address(options.url).shown


async def _opened(options: "SqlOptions") -> Sessions:
    from autonomyd.host.databases.mysql import open_mysql
    from autonomyd.host.databases.postgres import open_postgres
    from autonomyd.monitor.probes.mysql import MysqlOptions, mysql_address
    from autonomyd.monitor.probes.postgres import PostgresOptions

    if isinstance(options, PostgresOptions):
        return await open_postgres(options.dsn, timeout_s=options.timeout_s)
    assert isinstance(options, MysqlOptions)
    return await open_mysql(mysql_address(options.url), timeout_s=options.timeout_s, verify=options.verify)


def _facts(check: str, holder: "Holder") -> SessionFacts:
    kind = "idle_in_transaction" if holder.idle else "blocking"
    query = masked(" ".join(holder.query.split()))
    return SessionFacts(check=check, id=holder.id, kind=kind, age_s=holder.age_s, blocks=holder.blocks, query=query)


def _reading(name: str, options: "SqliteOptions") -> Callable[[], SqliteFile]:
    from autonomyd.host.databases.sqlite import sqlite_facts

    def read() -> SqliteFile:
        facts = sqlite_facts(options.file, busy_s=BUSY_S)
        return SqliteFile(
            check=name,
            path=options.file,
            bytes=facts.bytes,
            log_bytes=facts.wal_bytes,
            unused_bytes=facts.free_bytes,
            log_over=facts.wal_bytes > options.max_wal_mb * MB,
            unused_over=100.0 * facts.free_bytes > options.max_free_percent * facts.bytes,
            may_rebuild=options.vacuum,
            room=facts.bytes <= facts.room_bytes,
        )

    return read


def _rest(count: int) -> str:
    return f"; {count} of them held nobody up any more" if count else ""
