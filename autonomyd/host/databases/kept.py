"""A connection that is kept between looks, and made anew after every failure."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from autonomyd.host.failure import NetworkFailure

RENEW_S = 60.0
"""A kept connection is given up after this time: it would hide a server that accepts no more."""

C = TypeVar("C")
T = TypeVar("T")


class Kept(Generic[C]):
    """`shut` ends a connection at once, without waiting. Looks may run side by side: each has a connection of its own,
    and one of them is kept."""

    def __init__(self, make: Callable[[], Awaitable[C]], shut: Callable[[C], None]) -> None:
        self._make = make
        self._shut = shut
        self._idle: C | None = None
        self._made_at = 0.0
        self._closed = False

    async def use(self, act: Callable[[C], Awaitable[T]]) -> T:
        """The result of `act`. A kept connection that turns out to be dead is replaced once: the server may have been
        started anew since. Raises what `make` and `act` raise."""
        connection = self._take()
        if connection is not None:
            try:
                return await self._ask(connection, act)
            except NetworkFailure as error:
                if getattr(error, "answered", False):
                    raise
        connection = await self._make()
        self._made_at = asyncio.get_running_loop().time()
        return await self._ask(connection, act)

    def close(self) -> None:
        """Give up what is kept, and keep nothing any more."""
        self._closed = True
        if self._idle is not None:
            self._shut(self._idle)
            self._idle = None

    def _take(self) -> C | None:
        connection, self._idle = self._idle, None
        if connection is not None and asyncio.get_running_loop().time() - self._made_at > RENEW_S:
            self._shut(connection)
            return None
        return connection

    async def _ask(self, connection: C, act: Callable[[C], Awaitable[T]]) -> T:
        try:
            result = await act(connection)
        except BaseException:
            self._shut(connection)  # an answer may still be under way: it would be taken for that of the next question
            raise
        if self._idle is None and not self._closed:
            self._idle = connection
        else:
            self._shut(connection)
        return result
