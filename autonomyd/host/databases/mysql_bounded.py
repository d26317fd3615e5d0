"""aiomysql's connection, with a bound on what a server may send. Apart: aiomysql is imported only when needed."""

from typing import Any

from aiomysql import Connection, OperationalError
from pymysql.constants import CR


class BoundedConnection(Connection):  # type: ignore[misc]
    """`left` are the bytes that may still come; who asks sets it anew. A packet may have 16 MB, and others follow."""

    left = 0

    async def open(self) -> None:
        """Connect and log in; raises what aiomysql raises."""
        await self._connect()

    async def _read_bytes(self, num_bytes: int) -> Any:
        self.left -= num_bytes
        if self.left < 0:
            raise OperationalError(CR.CR_MALFORMED_PACKET, "the server sends too much")
        return await super()._read_bytes(num_bytes)
