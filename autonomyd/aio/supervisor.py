"""Keeps a set of loops alive: one that raises is logged, counted, restarted with backoff; the others never notice."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

import structlog

from autonomyd.aio.backoff import Backoff
from autonomyd.aio.clock import Clock

RESTART_BACKOFF = Backoff(first_s=0.5, cap_s=60.0)
HEALTHY_AFTER_S = 300.0

log = structlog.get_logger(__name__)


class LoopState(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    DEGRADED = "degraded"
    STOPPED = "stopped"


@dataclass(slots=True, kw_only=True)
class SupervisedLoop:
    """A periodic body and its record. The body runs every `interval_s`, or at once when `wake` is set.

    `stuck_after_s` is how long one run may take before the loop no longer counts as making progress."""

    name: str
    body: Callable[[], Awaitable[float | None]]
    interval_s: float
    stuck_after_s: float = 60.0
    state: LoopState = LoopState.STARTING
    runs: int = 0
    failures: int = 0
    failed_in_a_row: int = 0
    last_run_at: float | None = None
    last_duration_s: float | None = None
    last_error: str | None = None
    last_failure_mono: float | None = None
    last_progress: float = 0.0
    expected_by: float = 0.0
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    ready: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """Runs loops under one `asyncio.gather`. A body returns None to be called again after `interval_s`,
    or a number of seconds to be called again after that (for a loop that knows when its next work is due)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.loops: dict[str, SupervisedLoop] = {}

    def add(self, loop: SupervisedLoop) -> SupervisedLoop:
        self.loops[loop.name] = loop
        return loop

    async def run(self) -> None:
        """Run every loop until cancelled."""
        await asyncio.gather(*(self._keep(loop) for loop in self.loops.values()))

    async def wait_ready(self) -> None:
        """Return when every loop has finished its first run, or failed it once."""
        for loop in self.loops.values():
            await loop.ready.wait()

    def stalled(self) -> tuple[str, ...]:
        """Names of the loops that made no progress by the time they should have."""
        now = self._clock.monotonic()
        return tuple(loop.name for loop in self.loops.values() if loop.runs and now > loop.expected_by)

    async def _keep(self, loop: SupervisedLoop) -> None:
        try:
            while True:
                delay_s = await self._once(loop)
                self._expect(loop, delay_s)
                await _sleep_or_wake(loop.wake, delay_s)
        finally:
            loop.state = LoopState.STOPPED

    async def _once(self, loop: SupervisedLoop) -> float:
        started = self._clock.monotonic()
        loop.last_run_at = self._clock.wall()
        loop.expected_by = started + loop.stuck_after_s
        loop.wake.clear()
        loop.runs += 1
        try:
            wanted_s = await loop.body()
        except Exception as error:
            delay_s = RESTART_BACKOFF.delay_s(loop.failed_in_a_row, luck=random.random())
            loop.failures += 1
            loop.failed_in_a_row += 1
            loop.last_failure_mono = started
            loop.last_error = f"{type(error).__name__}: {error}"
            loop.state = LoopState.DEGRADED
            log.exception("loop_failed", loop=loop.name, failures=loop.failures, retry_in_s=round(delay_s, 2))
        else:
            loop.failed_in_a_row = 0
            failed_at = loop.last_failure_mono
            if failed_at is None or started - failed_at >= HEALTHY_AFTER_S:
                loop.state = LoopState.RUNNING
            delay_s = loop.interval_s if wanted_s is None else wanted_s
        finally:
            loop.last_progress = self._clock.monotonic()
            loop.last_duration_s = loop.last_progress - started
            loop.ready.set()
        return delay_s

    def _expect(self, loop: SupervisedLoop, delay_s: float) -> None:
        loop.expected_by = loop.last_progress + delay_s + loop.stuck_after_s


async def _sleep_or_wake(wake: asyncio.Event, delay_s: float) -> None:
    if wake.is_set():
        return
    try:
        async with asyncio.timeout(max(delay_s, 0.0)):
            await wake.wait()
    except TimeoutError:
        pass
