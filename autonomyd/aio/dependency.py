"""One thing outside the daemon (a database, the container API, a webhook), and how calls to it are kept from harm.

`await dependency.call(ask)` bounds the call in time, lets only so many run at once (the bulkhead), and after some
failures in a row asks no more for a while (the circuit breaker): then one trial decides whether it goes on.
Source of the states: M. Nygard, Release It!, 2nd edition, "Circuit Breaker" and "Bulkheads".
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog

from autonomyd.aio.backoff import Backoff
from autonomyd.aio.clock import Clock
from autonomyd.model.dependency import BreakerState, DependencyStatus

T = TypeVar("T")

RETRY = Backoff(first_s=0.2, cap_s=5.0)

log = structlog.get_logger(__name__)


class DependencyLimits(Protocol):
    """How much a dependency may cost (settings `[dependencies.NAME]`)."""

    @property
    def failures(self) -> int:
        """Failures in a row that open the breaker."""

    @property
    def recovery_s(self) -> float:
        """How long an open breaker waits before the trial."""

    @property
    def timeout_s(self) -> float:
        """The longest that one call may take, when the caller does not say."""

    @property
    def concurrent(self) -> int:
        """How many calls may run at once; others wait, within their own time-out."""


class DependencyOpen(Exception):  # noqa: N818 - nothing was asked, so nothing is wrong with the answer
    """The dependency was not asked, because it failed lately. `retry_in_s` is when the next trial is due."""

    def __init__(self, name: str, *, retry_in_s: float, reason: str) -> None:
        super().__init__(f"{name} is not asked for another {retry_in_s:.0f} s, because it failed: {reason}")
        self.retry_in_s = retry_in_s


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerChange:
    """A change of state; `message` says why, in words."""

    name: str
    before: BreakerState
    after: BreakerState
    message: str


OnChange = Callable[[BreakerChange], None]


class Dependency:
    """Make one for each thing outside, by `Dependencies.of`."""

    def __init__(self, name: str, *, limits: DependencyLimits, clock: Clock, on_change: OnChange) -> None:
        self.name = name
        self._limits = limits
        self._clock = clock
        self._on_change = on_change
        self._state = BreakerState.CLOSED
        self._open_until = 0.0
        self._trying = False
        self._row = 0
        self._running = 0
        self._calls = self._failed = self._refused = 0
        self._reason = ""
        self._since = clock.wall()
        self._room = asyncio.Semaphore(limits.concurrent)

    async def call(
        self,
        act: Callable[[], Awaitable[T]],
        *,
        timeout_s: float | None = None,
        retries: int = 0,
        trial: bool = False,
        blames: Callable[[Exception], bool | None] = lambda error: True,
    ) -> T:
        """The result of `await act()`.

        `retries` are further attempts after a failure, with growing waits: only for acts that may happen twice.
        `trial` asks also while the breaker is open: for a health check, which is itself the trial that would close it.
        `blames` says what an exception means: True, the dependency failed; False, it works and said no (a wrong
        password); None, nothing was learned about it (no descriptors left here).
        Raises DependencyOpen, TimeoutError, and what `act` raises."""
        attempt = 0
        while True:
            try:
                return await self._once(act, self._limits.timeout_s if timeout_s is None else timeout_s, trial, blames)
            except DependencyOpen:
                raise
            except Exception as error:
                if attempt >= retries or not blames(error):
                    raise
            await asyncio.sleep(RETRY.delay_s(attempt))
            attempt += 1

    @property
    def used(self) -> bool:
        """Whether it was asked, or meant to be, at least once."""
        return self._calls + self._refused > 0

    @property
    def state(self) -> BreakerState:
        """`half_open`: the wait is over, the next call is the trial."""
        if self._state is BreakerState.OPEN and self._clock.monotonic() >= self._open_until:
            return BreakerState.HALF_OPEN
        return self._state

    def status(self) -> DependencyStatus:
        state = self.state
        open_ = state is BreakerState.OPEN
        return DependencyStatus(
            name=self.name,
            state=state,
            since=self._since,
            calls=self._calls,
            failed=self._failed,
            refused=self._refused,
            running=self._running,
            failures=self._row,
            retry_in_s=max(0.0, self._open_until - self._clock.monotonic()) if open_ else None,
            message=self._reason,
        )

    def limit(self, limits: DependencyLimits) -> None:
        """Other limits from now on; calls that run keep theirs."""
        if limits.concurrent != self._limits.concurrent:
            self._room = asyncio.Semaphore(limits.concurrent)
        self._limits = limits

    async def _once(
        self,
        act: Callable[[], Awaitable[T]],
        timeout_s: float,
        trial: bool,
        blames: Callable[[Exception], bool | None],
    ) -> T:
        state = self.state
        if not trial and (state is BreakerState.OPEN or (state is BreakerState.HALF_OPEN and self._trying)):
            self._refused += 1
            wait_s = max(0.0, self._open_until - self._clock.monotonic())
            raise DependencyOpen(self.name, retry_in_s=wait_s, reason=self._reason)
        tries = state is BreakerState.HALF_OPEN
        self._trying = self._trying or tries
        began = False
        room = self._room
        try:
            async with asyncio.timeout(timeout_s), room:
                began = True
                self._running += 1
                self._calls += 1
                try:
                    result = await act()
                finally:
                    self._running -= 1
        except Exception as error:
            self._ended_badly(error, blames, asked=began, timeout_s=timeout_s)
            raise
        else:
            self._works()
            return result
        finally:
            # also when it was cancelled: the next call may be the trial
            self._trying = self._trying and not tries

    def _ended_badly(
        self, error: Exception, blames: Callable[[Exception], bool | None], *, asked: bool, timeout_s: float
    ) -> None:
        if isinstance(error, TimeoutError) and not str(error):
            verdict: bool | None = True if asked else None  # it waited for other calls: they will tell
            reason = f"no answer within {timeout_s:g} s"
        else:
            verdict, reason = blames(error), str(error) or type(error).__name__
        if verdict is False:
            self._works()
        elif verdict:
            self._fails(reason)

    def _works(self) -> None:
        self._row = 0
        if self._state is BreakerState.OPEN:
            self._move(BreakerState.CLOSED, "it answers again")
        self._reason = ""

    def _fails(self, reason: str) -> None:
        self._failed += 1
        self._row += 1
        self._reason = reason
        if self._state is BreakerState.OPEN or self._row >= self._limits.failures:
            self._open_until = self._clock.monotonic() + self._limits.recovery_s
            if self._state is BreakerState.CLOSED:
                self._move(BreakerState.OPEN, f"{self._row} failures in a row, the last: {reason}")

    def _move(self, after: BreakerState, message: str) -> None:
        before, self._state = self._state, after
        self._since = self._clock.wall()
        log.warning("dependency_changed", dependency=self.name, before=before, after=after, reason=message)
        self._on_change(BreakerChange(name=self.name, before=before, after=after, message=message))


class Dependencies:
    """Every dependency that is in use, by its name: `family` or `family:instance`.

    The configuration names families ("redis"), so that one table holds for all servers of a kind."""

    def __init__(
        self, clock: Clock, *, limits_of: Callable[[str], DependencyLimits], on_change: OnChange = lambda change: None
    ) -> None:
        self._clock = clock
        self._limits_of = limits_of
        self._on_change = on_change
        self._known: dict[str, Dependency] = {}

    def of(self, family: str, instance: str = "") -> Dependency:
        """The one that is called so, made at its first use. `instance` is shown: it must hold no secret."""
        name = f"{family}:{instance}" if instance else family
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = Dependency(
                name, limits=self._limits_of(family), clock=self._clock, on_change=self._on_change
            )
        return known

    def reload(self) -> None:
        """The configuration changed."""
        for name, dependency in self._known.items():
            dependency.limit(self._limits_of(name.partition(":")[0]))

    def statuses(self) -> Mapping[str, DependencyStatus]:
        """By name, those that were asked at least once."""
        return {name: known.status() for name, known in sorted(self._known.items()) if known.used}
