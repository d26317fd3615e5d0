"""`type = "postgres"`: a query to PostgreSQL, its connections, locks, transactions and replication."""

import time
from typing import ClassVar

from pydantic import Field, field_validator

from autonomyd.aio.clock import Clock
from autonomyd.host.databases.address import ServerAddress, server_address
from autonomyd.host.databases.postgres import PostgresConnection, open_postgres
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Bound, Look, ok
from autonomyd.monitor.probes.database import SQL_BOUNDS, SQL_METRICS, DatabaseProbe, SqlOptions, sql_values
from autonomyd.settings.service import CheckSettings

SCHEMES = frozenset({"postgres", "postgresql"})
PORT = 5432
PROGRAMS = frozenset({"postgres", "postgresql", "postmaster", "pgbouncer", "pgpool", "patroni", "timescaledb"})


def postgres_address(dsn: str) -> ServerAddress:
    """Raises ValueError."""
    return server_address(dsn, schemes=SCHEMES, default_port=PORT)


class PostgresOptions(SqlOptions):
    """A query to PostgreSQL. A refused connection or login, a failed query, silence, and a server that still starts are
    failures; the bounds below are issues of their own. Needs `pip install 'autonomyd[postgres]'`."""

    dsn: str = Field(max_length=2000)
    """postgresql://user:password@host:port/database; ?host=/run/postgresql for a Unix socket, ?sslmode= for TLS."""

    @field_validator("dsn")
    @classmethod
    def _readable(cls, value: str) -> str:
        postgres_address(value)
        return value


class PostgresProbe(DatabaseProbe[PostgresConnection]):
    kind: ClassVar[str] = "postgres"
    Options: ClassVar[type[CheckSettings]] = PostgresOptions
    programs: ClassVar[frozenset[str]] = PROGRAMS
    metrics: ClassVar[tuple[MetricSpec, ...]] = SQL_METRICS
    bounds: ClassVar[tuple[Bound, ...]] = SQL_BOUNDS

    def __init__(self, options: PostgresOptions, clock: Clock) -> None:
        super().__init__(options, postgres_address(options.dsn), PostgresConnection.close)
        self._options = options

    async def _open(self) -> PostgresConnection:
        return await open_postgres(self._options.dsn, timeout_s=self._options.timeout_s)

    async def _ask(self, connection: PostgresConnection) -> Look:
        began = time.perf_counter()
        await connection.run(self._options.query)
        latency_ms = (time.perf_counter() - began) * 1000.0
        holders = await connection.holders() if self._options.terminate_after_s is not None else None
        seen = await connection.activity()
        words = f"answered in {latency_ms:.1f} ms, {seen.connections} of {seen.max_connections} connections"
        if seen.hidden:
            words += f"; {seen.hidden} sessions may not be looked at (grant pg_monitor to the user of the check)"
        return ok(sql_values(latency_ms, seen, holders), words)
