"""The finished fixes that the gates and the learning look back on, bounded, with monotonic times."""

from collections import deque
from collections.abc import Iterable

from autonomyd.aio.clock import Clock
from autonomyd.model.facts import PastFix
from autonomyd.model.fix import Fix
from autonomyd.model.issue import Issue
from autonomyd.plan.proposal import issue_key

MAX_PAST = 2000


class FixHistory:
    """Newest last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._past: deque[PastFix] = deque(maxlen=MAX_PAST)

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
        """A person reset the budget: what was done until now no longer counts as disruptive."""
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

    def _past_fix(self, fix: Fix, key: str, at: float) -> PastFix:
        return PastFix(
            strategy=fix.plan.strategy,
            cause=fix.plan.cause,
            service=fix.plan.service,
            issue_key=key,
            outcome=fix.outcome,
            disruptive=fix.plan.disruptive,
            at=at,
        )
