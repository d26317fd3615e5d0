"""A small client for Redis and what speaks like it (Valkey, KeyDB): enough for a health check, not for data.

Source of the protocol: Redis serialization protocol specification (RESP2).
"""

import asyncio

from autonomyd.host.databases.address import ServerAddress
from autonomyd.host.databases.failure import DatabaseFailure
from autonomyd.host.failure import NetworkFailure
from autonomyd.host.http import tls_context
from autonomyd.host.tcp import connect_failure, open_transport, reason_of, resolve
from autonomyd.model.secrets import masked

ANSWER_BYTES = 1_000_000
"""An answer may be this large in all; INFO has some 10 KB."""
LINE_BYTES = 65_536
DEPTH = 8

Reply = str | int | None | list["Reply"]


class RedisError(DatabaseFailure):
    """The server answered with an error; `code` is its first word (NOAUTH, LOADING, MISCONF)."""

    def __init__(self, message: str) -> None:
        super().__init__(masked(message), stage="answer", answered=True)
        self.code = message.partition(" ")[0]


class RedisConnection:
    """One connection. After a failure it must not be used again."""

    def __init__(self, transport: asyncio.Transport, reader: asyncio.StreamReader) -> None:
        self._transport = transport
        self._reader = reader
        self._left = 0

    async def ask(self, *words: str) -> Reply:
        """Send one command and give its answer. Raises RedisError (the connection stays good), DatabaseFailure."""
        parts = [f"*{len(words)}\r\n".encode()]
        for word in words:
            data = word.encode()
            parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
        self._transport.write(b"".join(parts))
        self._left = ANSWER_BYTES
        try:
            return await self._reply(DEPTH)
        except asyncio.IncompleteReadError:
            raise DatabaseFailure("the server closed the connection", stage="answer") from None
        except OSError as error:
            raise DatabaseFailure(reason_of(error), stage="answer") from None
        except (ValueError, asyncio.LimitOverrunError):
            raise DatabaseFailure("what answers is not a Redis server", stage="answer") from None

    def close(self) -> None:
        self._transport.abort()

    async def _reply(self, depth: int) -> Reply:
        """Raises ValueError for what is no RESP, or too much of it."""
        line = (await self._reader.readuntil(b"\r\n"))[:-2]
        self._spend(len(line))
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return _text(rest)
        if kind == b"-":
            raise RedisError(_text(rest))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return await self._bulk(int(rest))
        if kind == b"*" and depth:
            count = int(rest)
            self._spend(max(0, count))
            return None if count < 0 else [await self._reply(depth - 1) for _ in range(count)]
        raise ValueError("not RESP")

    async def _bulk(self, size: int) -> str | None:
        if size < 0:
            return None
        self._spend(size)
        data = await self._reader.readexactly(size + 2)
        if data[-2:] != b"\r\n":
            raise ValueError("not RESP")
        return _text(data[:-2])

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise ValueError("too much")


async def open_redis(address: ServerAddress, *, timeout_s: float, verify: bool = True) -> RedisConnection:
    """Connect, log in, choose the database. The caller keeps the deadline. Raises DatabaseFailure."""
    try:
        transport, reader = await _open(address, timeout_s, verify)
    except NetworkFailure as error:
        raise DatabaseFailure(error.message, stage=error.stage, ours=error.ours) from None
    connection = RedisConnection(transport, reader)
    try:
        if address.password is not None:
            await connection.ask("AUTH", *((address.user,) if address.user else ()), address.password)
        if address.database:
            await connection.ask("SELECT", address.database)
    except BaseException:
        connection.close()
        raise
    return connection


async def _open(
    address: ServerAddress, timeout_s: float, verify: bool
) -> tuple[asyncio.Transport, asyncio.StreamReader]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LINE_BYTES)

    def protocol() -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(reader)

    if address.socket is not None:
        try:
            transport, _ = await loop.create_unix_connection(protocol, address.socket)
        except OSError as error:
            raise connect_failure(error) from None
        return transport, reader
    tcp, _ = await open_transport(
        protocol,
        await resolve(address.host),
        address.port,
        deadline=loop.time() + timeout_s,
        tls=await tls_context(verify) if address.tls else None,
        server_name=address.host,
    )
    return tcp, reader


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
