"""What a health check asks of MySQL and MariaDB, over aiomysql, and ending the sessions that hold others up."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from autonomyd.host.databases.address import ServerAddress
from autonomyd.host.databases.failure import DatabaseFailure
from autonomyd.host.databases.session import Holder
from autonomyd.host.http import tls_context
from autonomyd.host.tcp import connect_failure
from autonomyd.model.secrets import masked

if TYPE_CHECKING:
    from aiomysql import Connection

ANSWER_BYTES = 4_000_000
"""A server may send this much for all of one look."""
GONE = frozenset({1040, 1053, 1077, 1129, 1203, 2002, 2003, 2006, 2013, 2014})
"""Too many connections, shut-down under way, host blocked, and the client's own words for a lost connection.
Source: MySQL 8.4 Error Message Reference."""
NOT_ALLOWED = frozenset({1044, 1045, 1142, 1143, 1227})

CACHED_S = 0.5
"""InnoDB shows transactions and locks as they were when somebody first asked; it looks anew only when nobody has asked
for 0.1 s. Who asks more often sees what was for ever. Source: MySQL Reference Manual, "Persistence and Consistency of
InnoDB Transaction and Locking Information"."""

STATUS = "show global status where variable_name in ('Threads_connected', 'Innodb_row_lock_current_waits')"
TRANSACTIONS = (
    "select coalesce(max(timestampdiff(second, t.trx_started, now())), 0),"
    " coalesce(max(if(p.command = 'Sleep', p.time, 0)), 0)"
    " from information_schema.innodb_trx t"
    " left join information_schema.processlist p on p.id = t.trx_mysql_thread_id"
    " where t.trx_mysql_thread_id <> connection_id()"
)
_HOLDERS = (
    "select t.trx_mysql_thread_id, p.command, if(p.command = 'Sleep', p.time,"
    " timestampdiff(second, t.trx_started, now())), count(distinct w.{waiting}), left(coalesce(p.info, ''), 200)"
    " from {waits} w join information_schema.innodb_trx t on t.trx_id = w.{holding}"
    " join information_schema.processlist p on p.id = t.trx_mysql_thread_id"
    " where t.trx_state <> 'LOCK WAIT' group by 1, 2, 3, 5 order by 3 desc limit 50"
)
HOLDERS_MARIADB = _HOLDERS.format(
    waits="information_schema.innodb_lock_waits", waiting="requesting_trx_id", holding="blocking_trx_id"
)
HOLDERS_MYSQL = _HOLDERS.format(
    waits="performance_schema.data_lock_waits",
    waiting="requesting_engine_transaction_id",
    holding="blocking_engine_transaction_id",
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class MysqlActivity:
    """Counts and seconds. `transaction_s` and `idle_in_transaction_s` are None where they may not be read,
    `replication_lag_s` where nothing replicates or it may not be read; `replicating` is False when it has stopped."""

    connections: int
    max_connections: int
    lock_waits: int
    transaction_s: float | None
    idle_in_transaction_s: float | None
    replication_lag_s: float | None
    replicating: bool


class MysqlConnection:
    """One connection; every method raises DatabaseFailure."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._mariadb = "mariadb" in str(connection.get_server_info()).lower()

    async def run(self, query: str) -> None:
        """Run `query`; of its answer only the first row is kept."""
        await self._rows(query)

    async def activity(self, *, transactions: bool = True) -> MysqlActivity:
        """What the server tells of itself; without `transactions` nothing of those (see CACHED_S)."""
        status = {str(name).lower(): int(value) for name, value in await self._rows(STATUS)}
        limit = await self._rows("select @@global.max_connections")
        running = await self._allowed(TRANSACTIONS) if transactions else []
        lag_s, replicating = await self._replication()
        return MysqlActivity(
            connections=status["threads_connected"],
            max_connections=int(limit[0][0]),
            lock_waits=status.get("innodb_row_lock_current_waits", 0),
            transaction_s=float(running[0][0]) if running else None,
            idle_in_transaction_s=float(running[0][1]) if running else None,
            replication_lag_s=lag_s,
            replicating=replicating,
        )

    async def holders(self) -> tuple[Holder, ...]:
        """The sessions that hold others up and wait for nobody themselves, the oldest first."""
        rows = await self._rows(HOLDERS_MARIADB if self._mariadb else HOLDERS_MYSQL)
        return tuple(
            Holder(id=int(id_), idle=command == "Sleep", age_s=float(age_s), blocks=int(blocks), query=_text(query))
            for id_, command, age_s, blocks, query in rows
        )

    async def end(self, session: int) -> bool:
        """End one session; False when it was gone already."""
        try:
            await self._rows(f"kill {session:d}")
        except DatabaseFailure as failure:
            if "Unknown thread" in failure.message:
                return False
            raise
        return True

    def close(self) -> None:
        self._connection.close()

    async def _replication(self) -> tuple[float | None, bool]:
        query = "show all slaves status" if self._mariadb else "show replica status"
        cursor_rows = await self._allowed(query, named=True)
        if not cursor_rows:
            return None, True
        lags = [row.get("Seconds_Behind_Master", row.get("Seconds_Behind_Source")) for row in cursor_rows]
        known = [float(lag) for lag in lags if lag is not None]
        return (max(known) if known else None), len(known) == len(lags)

    async def _allowed(self, query: str, *, named: bool = False) -> list[Any]:
        """The rows; none where this user may not ask."""
        try:
            return await self._rows(query, named=named)
        except DatabaseFailure as failure:
            if failure.answered and "denied" in failure.message:
                return []
            raise

    async def _rows(self, query: str, *, named: bool = False) -> list[Any]:
        from aiomysql import DictCursor

        async def ask() -> list[Any]:
            async with self._connection.cursor(*((DictCursor,) if named else ())) as cursor:
                await cursor.execute(query)
                return list(await cursor.fetchall() or ())

        self._connection.left = ANSWER_BYTES
        return await _worded(ask())


async def open_mysql(address: ServerAddress, *, timeout_s: float, verify: bool = True) -> MysqlConnection:
    """Connect and log in. The caller keeps the deadline. Raises DatabaseFailure."""
    try:
        from autonomyd.host.databases.mysql_bounded import BoundedConnection
    except ImportError:
        words = "the library aiomysql is not installed: pip install 'autonomyd[mysql]'"
        raise DatabaseFailure(words, stage="request", ours=True) from None
    connection = BoundedConnection(
        host=address.host,
        port=address.port,
        unix_socket=address.socket,
        user=address.user or "root",
        password=address.password or "",
        db=address.database or None,
        connect_timeout=timeout_s,
        autocommit=True,
        ssl=await tls_context(verify) if address.tls else None,
        program_name="autonomyd",
    )
    connection.left = ANSWER_BYTES
    try:
        await _worded(connection.open(), connecting=True)
    except BaseException:
        connection.close()
        raise
    return MysqlConnection(connection)


async def _worded(answer: Awaitable[T], *, connecting: bool = False) -> T:
    try:
        return await answer
    except Exception as error:
        raise _failure(error, connecting=connecting) from None


def _failure(error: Exception, *, connecting: bool) -> DatabaseFailure:
    """What went wrong, in words without secrets."""
    cause = error.__cause__
    if isinstance(cause, TimeoutError):
        raise TimeoutError from None
    if isinstance(cause, OSError):
        reason = connect_failure(cause)
        return DatabaseFailure(reason.message, stage="connect" if connecting else "answer", ours=reason.ours)
    if isinstance(error, RuntimeError) and "cryptography" in str(error):
        words = "logging in needs the library cryptography, or TLS: pip install cryptography"
        return DatabaseFailure(words, stage="connect", ours=True)
    code, *rest = error.args or (None,)
    words = masked(str(rest[0] if rest else error)).partition("\n")[0] or type(error).__name__
    if isinstance(code, int) and code:
        return DatabaseFailure(words, stage="answer", answered=code not in GONE)
    return DatabaseFailure(f"what answers is not a MySQL server: {words} ({type(error).__name__})", stage="answer")


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
