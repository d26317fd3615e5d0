"""`type = "mysql"`: a query to MySQL or MariaDB, its connections, locks, transactions and replication."""

import math
import time
from typing import ClassVar

from pydantic import Field, field_validator

from autonomyd.aio.clock import Clock
from autonomyd.host.databases.address import ServerAddress, server_address
from autonomyd.host.databases.mysql import CACHED_S, MysqlConnection, open_mysql
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Bound, Look, failed, ok
from autonomyd.monitor.probes.database import SQL_BOUNDS, SQL_METRICS, DatabaseProbe, SqlOptions, sql_values
from autonomyd.settings.service import CheckSettings

SCHEMES = frozenset({"mysql", "mariadb"})
PORT = 3306
PROGRAMS = frozenset({"mysql", "mysqld", "mariadb", "mariadbd", "percona", "galera"})


def mysql_address(url: str) -> ServerAddress:
    """Raises ValueError."""
    return server_address(url, schemes=SCHEMES, default_port=PORT)


class MysqlOptions(SqlOptions):
    """A query to MySQL or MariaDB. A refused connection or login, a failed query, silence, and a replication that has
    stopped are failures; the bounds below are issues of their own. Needs `pip install 'autonomyd[mysql]'`."""

    url: str = Field(max_length=2000)
    """mysql://user:password@host:port/database; ?socket=/path for a Unix socket, ?tls=true for TLS."""
    verify: bool = True
    """Check the certificate with ?tls=true."""

    @field_validator("url")
    @classmethod
    def _readable(cls, value: str) -> str:
        mysql_address(value)
        return value


class MysqlProbe(DatabaseProbe[MysqlConnection]):
    kind: ClassVar[str] = "mysql"
    Options: ClassVar[type[CheckSettings]] = MysqlOptions
    programs: ClassVar[frozenset[str]] = PROGRAMS
    metrics: ClassVar[tuple[MetricSpec, ...]] = SQL_METRICS
    bounds: ClassVar[tuple[Bound, ...]] = SQL_BOUNDS

    def __init__(self, options: MysqlOptions, clock: Clock) -> None:
        super().__init__(options, mysql_address(options.url), MysqlConnection.close)
        self._options = options
        self._clock = clock
        self._transactions_at = -math.inf

    async def _open(self) -> MysqlConnection:
        options = self._options
        return await open_mysql(self._address, timeout_s=options.timeout_s, verify=options.verify)

    async def _ask(self, connection: MysqlConnection) -> Look:
        began = time.perf_counter()
        await connection.run(self._options.query)
        latency_ms = (time.perf_counter() - began) * 1000.0
        now = self._clock.monotonic()
        fresh = now - self._transactions_at >= CACHED_S
        if fresh:
            self._transactions_at = now
        wanted = fresh and self._options.terminate_after_s is not None
        holders = await connection.holders() if wanted else None
        seen = await connection.activity(transactions=fresh)
        values = sql_values(latency_ms, seen, holders)
        if not seen.replicating:
            return failed("its replication has stopped: `show replica status` on it says why", values)
        return ok(values, f"answered in {latency_ms:.1f} ms, {seen.connections} of {seen.max_connections} connections")
