"""What a health check asks of PostgreSQL, over asyncpg, and ending the sessions that hold others up."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autonomyd.host.databases.failure import DatabaseFailure
from autonomyd.host.databases.session import Holder
from autonomyd.host.failure import Stage
from autonomyd.host.tcp import connect_failure
from autonomyd.model.secrets import masked

if TYPE_CHECKING:
    import asyncpg

APPLICATION = "autonomyd"

ACTIVITY = """
select
    (select coalesce(sum(numbackends), 0) from pg_stat_database)::int as connections,
    current_setting('max_connections')::int as max_connections,
    (select count(distinct pid) from pg_locks where not granted) as lock_waits,
    count(*) filter (where query = '<insufficient privilege>') as hidden,
    coalesce(max(extract(epoch from clock_timestamp() - xact_start))
        filter (where backend_type = 'client backend' and pid <> pg_backend_pid()), 0) as transaction_s,
    coalesce(max(extract(epoch from clock_timestamp() - state_change))
        filter (where state like 'idle in transaction%'), 0) as idle_in_transaction_s,
    pg_is_in_recovery() as standby,
    case when pg_is_in_recovery() and pg_last_wal_receive_lsn() is distinct from pg_last_wal_replay_lsn()
        then extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) else 0 end as replay_lag_s
from pg_stat_activity"""

REPLICAS = "select coalesce(max(extract(epoch from replay_lag)), 0) from pg_stat_replication"

HOLDERS = """
select a.pid, a.usename, a.state, left(a.query, 200) as query, count(*) as blocks,
    extract(epoch from clock_timestamp()
        - case when a.state like 'idle in transaction%' then a.state_change else a.xact_start end) as age_s
from pg_stat_activity w
cross join lateral unnest(pg_blocking_pids(w.pid)) as b(pid)
join pg_stat_activity a on a.pid = b.pid
where w.wait_event_type = 'Lock' and a.backend_type = 'client backend'
    and cardinality(pg_blocking_pids(a.pid)) = 0 and a.xact_start is not null
group by a.pid, a.usename, a.state, a.query, a.state_change, a.xact_start
order by age_s desc limit 50"""
"""Who holds others up and waits for nobody, with the seconds for which they have been idle, or else in transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresActivity:
    """Counts and seconds. `hidden` sessions belong to others and may not be looked at: the transactions among them are
    not in the figures. `replication_lag_s` is None where it may not be read."""

    connections: int
    max_connections: int
    lock_waits: int
    hidden: int
    transaction_s: float
    idle_in_transaction_s: float
    replication_lag_s: float | None


class PostgresConnection:
    """One connection; every method raises DatabaseFailure."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self._connection = connection

    async def run(self, query: str) -> None:
        """Run `query`; of its answer only the first row is fetched."""
        await self._asked(self._connection.fetchrow(query))

    async def activity(self) -> PostgresActivity:
        row = await self._asked(self._connection.fetchrow(ACTIVITY))
        lag = row["replay_lag_s"] if row["standby"] else await self._asked(self._connection.fetchval(REPLICAS))
        return PostgresActivity(
            connections=row["connections"],
            max_connections=row["max_connections"],
            lock_waits=row["lock_waits"],
            hidden=row["hidden"],
            transaction_s=float(row["transaction_s"]),
            idle_in_transaction_s=float(row["idle_in_transaction_s"]),
            replication_lag_s=None if lag is None else float(lag),
        )

    async def holders(self) -> tuple[Holder, ...]:
        """The sessions that hold others up and wait for nobody themselves, the oldest first."""
        rows = await self._asked(self._connection.fetch(HOLDERS))
        return tuple(
            Holder(
                id=row["pid"],
                idle=str(row["state"]).startswith("idle in transaction"),
                age_s=float(row["age_s"]),
                blocks=row["blocks"],
                query=row["query"] or "",
            )
            for row in rows
        )

    async def end(self, session: int) -> bool:
        """End one session; False when it was gone already."""
        return bool(await self._asked(self._connection.fetchval("select pg_terminate_backend($1)", session)))

    def close(self) -> None:
        self._connection.terminate()

    async def _asked(self, answer: Any) -> Any:
        try:
            return await answer
        except Exception as error:
            raise _failure(error) from None


async def open_postgres(dsn: str, *, timeout_s: float) -> PostgresConnection:
    """Connect and log in. The caller keeps the deadline. Raises DatabaseFailure."""
    try:
        import asyncpg  # 4.5 MB that only those who ask for it shall pay
    except ImportError:
        words = "the library asyncpg is not installed: pip install 'autonomyd[postgres]'"
        raise DatabaseFailure(words, stage="request", ours=True) from None
    settings = {"application_name": APPLICATION}
    try:
        connection = await asyncpg.connect(
            dsn, timeout=timeout_s, server_settings=settings, statement_cache_size=0, command_timeout=timeout_s
        )
    except Exception as error:
        raise _failure(error, connecting=True) from None
    return PostgresConnection(connection)


def _failure(error: Exception, *, connecting: bool = False) -> DatabaseFailure:
    """What went wrong, in words without secrets."""
    if isinstance(error, TimeoutError):
        raise error
    words = masked(str(error)).partition("\n")[0] or type(error).__name__
    stage: Stage = "connect" if connecting else "answer"
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        # all others are answers of a server that works: it is starting up or ends (57P), is full (53), is gone (08)
        return DatabaseFailure(words, stage=stage, answered=not state.startswith(("57P", "53", "08")))
    if isinstance(error, OSError):
        cause = connect_failure(error)
        return DatabaseFailure(cause.message, stage=stage, ours=cause.ours)
    return DatabaseFailure(f"{words} ({type(error).__name__})", stage=stage)
