"""The finished fixes that the gates look back on, bounded, with monotonic times; the breaker of the blast radius."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping

from autonomyd.aio.clock import Clock
from autonomyd.model.facts import PastFix
from autonomyd.model.fix import Fix
from autonomyd.model.issue import Issue
from autonomyd.model.step import EndProcess, ServiceStep
from autonomyd.plan.proposal import issue_key

MAX_PAST = 2000
WHOLE_HOST = ""
"""The key of the host's own breaker; those of services are under their names."""


class FixHistory:
    """Newest last. `on_trip` hears what has tripped (to store it). `forgiven_at` is monotonic."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._past: deque[PastFix] = deque(maxlen=MAX_PAST)
        self._tripped: dict[str, str] = {}
        self.forgiven_at: float | None = None
        self.on_trip: Callable[[Mapping[str, str]], None] = lambda tripped: None

    @property
    def past(self) -> tuple[PastFix, ...]:
        return tuple(self._past)

    def add(self, fix: Fix, issue: Issue) -> None:
        """A fix has just ended."""
        self._past.append(self._past_fix(fix, issue_key(issue), self._clock.monotonic()))

    def restore(self, fixes: Iterable[tuple[Fix, str]]) -> None:
        """Take back what earlier runs did, as (fix, issue key), oldest first. Wall times become monotonic ones;
        a fix from the future (the clock was set back) counts as just ended."""
        wall, now = self._clock.wall(), self._clock.monotonic()
        for fix, key in fixes:
            if fix.ended_at is not None:
                self._past.append(self._past_fix(fix, key, now - max(0.0, wall - fix.ended_at)))

    def forgive(self) -> None:
        """A person reset the budget: what was done until now no longer counts, and no breaker is open."""
        self.forgiven_at = self._clock.monotonic()
        self._past = deque(
            (
                PastFix(
                    strategy=fix.strategy,
                    cause=fix.cause,
                    service=fix.service,
                    issue_key="",
                    outcome=fix.outcome,
                    disruptive=False,
                    at=fix.at - 1e9,
                )
                for fix in self._past
            ),
            maxlen=MAX_PAST,
        )
        if self._tripped:
            self._tripped = {}
            self.on_trip({})

    def trip(self, scope: str, why: str) -> None:
        """The budget of a service (its name) or of the whole host is used up: nothing is done there until a person
        resets it, however long that takes."""
        self._tripped[scope] = why
        self.on_trip(dict(self._tripped))

    def restore_tripped(self, tripped: Mapping[str, str]) -> None:
        """What had tripped in an earlier run still has."""
        self._tripped = dict(tripped)

    def tripped(self, service: str | None) -> str:
        """Why nothing may be done to `service` (None: to what is no service's); "" when its breaker is closed."""
        return self._tripped.get(WHOLE_HOST) or (self._tripped.get(service, "") if service else "")

    def _past_fix(self, fix: Fix, key: str, at: float) -> PastFix:
        return PastFix(
            strategy=fix.plan.strategy,
            cause=fix.plan.cause,
            service=fix.plan.service,
            issue_key=key,
            outcome=fix.outcome,
            disruptive=fix.plan.disruptive,
            at=at,
            beside=not any(isinstance(step, ServiceStep | EndProcess) for step in fix.plan.steps),
        )
