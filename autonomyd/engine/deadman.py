"""The dead-man ping: a URL elsewhere is asked while all loops are well. When the daemon, its machine or a loop stands
still, the asking stops, and whoever listens there tells a person."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.host.http import HttpFailure, http_get
from autonomyd.host.notifying import without_secrets
from autonomyd.model.alert import PingStatus
from autonomyd.settings.alerts import AlertSettings

TIMEOUT_S = 10.0

log = structlog.get_logger(__name__)


class DeadMan:
    """`tick` asks when it is time; it never waits for the answer."""

    def __init__(self, clock: Clock, *, ask: Callable[..., Any] = http_get) -> None:
        self._clock = clock
        self._ask = ask
        self._due: float | None = None
        self._asking: asyncio.Task[None] | None = None
        self._last_at: float | None = None
        self._error = ""

    def tick(self, settings: AlertSettings, unwell: tuple[str, ...]) -> float:
        """Ask, if it is time and no loop is `unwell`; returns the seconds until the next time."""
        url, now = settings.ping_url, self._clock.monotonic()
        if url is None:
            self._due = None
            return float("inf")
        if self._due is None or self._due > now + settings.ping_every_s:
            self._due = now
        if now < self._due:
            return self._due - now
        self._due = now + settings.ping_every_s
        if unwell:
            self._error = f"none is sent: not well: {', '.join(unwell)}"
        elif self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().create_task(self._ping(url))
        return settings.ping_every_s

    def status(self, settings: AlertSettings) -> PingStatus | None:
        if settings.ping_url is None:
            return None
        return PingStatus(every_s=settings.ping_every_s, last_at=self._last_at, error=self._error)

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ping(self, url: str) -> None:
        try:
            answer = await self._ask(url, timeout_s=TIMEOUT_S, follow=3)
            error = "" if answer.status < 400 else f"the answer was {answer.status}"
        except HttpFailure as failure:
            error = without_secrets(failure.message, url)
        if error and error != self._error:
            log.warning("ping_failed", reason=error)
        self._error = error
        if not error:
            self._last_at = self._clock.wall()
