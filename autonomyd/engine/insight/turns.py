"""The turns of many parts in one loop: none of them holds up another, or the daemon."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)

Turn = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """`restore` once the store is open, `tick` at every turn of the loop, `close` before the store closes."""

    restores: tuple[Turn, ...] = ()
    ticks: tuple[Turn, ...] = ()
    closes: tuple[Turn, ...] = ()

    async def restore(self) -> None:
        await _told(self.restores)

    async def tick(self) -> None:
        """Raises ExceptionGroup, when all have had their turn."""
        failures = await _each(self.ticks)
        if failures:
            raise ExceptionGroup(", ".join(map(str, failures)), failures)

    async def close(self) -> None:
        await _told(self.closes)


async def _each(turns: tuple[Turn, ...]) -> list[Exception]:
    """One after the other, whatever becomes of those before; what they raised."""
    failures: list[Exception] = []
    for turn in turns:
        try:
            await turn()
        except Exception as error:
            failures.append(error)
    return failures


async def _told(turns: tuple[Turn, ...]) -> None:
    """The same where nothing may be held up: watching and healing go on without what was learned."""
    for failure in await _each(turns):
        log.error("insight_failed", exc_info=failure)
