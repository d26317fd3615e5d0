"""The back-test: what each forecast of a series said, and what came of it."""

import math
from array import array
from collections.abc import Sequence
from typing import Any, Final

from autonomyd.analyze.forecast.line import Line
from autonomyd.analyze.forecast.season import Season

PLAIN: Final = (-3.1, -1.9, -1.25, -0.75, -0.25, 0.25, 0.75, 1.25, 1.9, 3.1)
"""What is believed of the errors before any is known, in standard deviations: tails as heavy as machines have."""
CERTAINTY: Final = 0.8
KEPT: Final = 24
LEAST_Q: Final = 0.1
AHEAD: Final = 1.03
"""What is told reaches further ahead than what could be tested: the interval is so much wider."""
LATE_SHARE: Final = 0.5
LATE_S: Final = 120.0
"""A case that is looked at later than this (the daemon was away) tells nothing: it is void."""


class Case:
    """A forecast whose time has not come: what `line` said at `made_at` of the highest value by each of `due_at` (the
    soonest first). `lead` is what noise adds, `low` and `high` the interval in standard deviations; `peak` is the
    highest value since."""

    __slots__ = ("due_at", "high", "lead", "level", "line", "low", "made_at", "peak")

    def __init__(
        self,
        made_at: float,
        due_at: tuple[float, ...],
        *,
        level: float,
        line: Line,
        lead: float,
        interval: tuple[float, float],
    ) -> None:
        self.made_at = made_at
        self.due_at = due_at
        self.level = level
        self.line = line
        self.lead = lead
        self.low, self.high = interval
        self.peak = -math.inf

    def error(self, at: float, season: Season) -> float | None:
        """By how many of its standard deviations it was too low, at its time; None when that can't be told."""
        span_s = at - self.made_at
        deviation = math.sqrt(self.line.variance(span_s))
        too_late = at - self.due_at[0] > LATE_SHARE * (self.due_at[0] - self.made_at) + LATE_S
        if too_late or deviation <= 0.0 or not math.isfinite(self.peak):
            return None
        expected = self.level + self.lead + season.highest(self.line.rise, self.made_at, at)
        return (self.peak - expected) / deviation


class Record:
    """How the forecasts from one resolution have fared: the newest errors, and whether each was in its interval;
    `pending` is the one under way, `tried` numbers the span in which one was last looked for.

    A case is the dual of a time to a bound: the bound is reached by `at` when the highest value by `at` is there."""

    __slots__ = ("errors", "pending", "right", "tried")

    def __init__(self) -> None:
        self.pending: Case | None = None
        self.errors = array("f")
        self.right = array("b")
        self.tried = -1

    def hear(self, at: float, peak: float, season: Season) -> None:
        """`peak` is the highest value since the last call; what was said of a time that has come is judged."""
        case = self.pending
        if case is None:
            return
        if peak > case.peak:
            case.peak = peak
        if at >= case.due_at[0]:
            self._judge(case, at, season)
            case.due_at = case.due_at[1:]
            if not case.due_at:
                self.pending = None

    def interval(self) -> tuple[float, float]:
        """Between how many standard deviations 80 % of the errors lie, a tenth beyond either end.
        Source: split conformal prediction (J. Lei and others, Distribution-free predictive inference for regression,
        2018), on each side, with prior errors that fade as cases come."""
        errors = sorted((*self.errors, *PLAIN))
        count = len(errors)
        tail = max(0, math.floor((1.0 - CERTAINTY) / 2.0 * (count + 1)) - 1)
        return min(-LEAST_Q, AHEAD * errors[tail]), max(LEAST_Q, AHEAD * errors[count - 1 - tail])

    def plain(self) -> dict[str, Any]:
        """JSON values; cases under way are not among them."""
        return {"errors": [round(each, 3) for each in self.errors], "right": list(self.right)}

    def restore(self, errors: Sequence[float], right: Sequence[int]) -> None:
        count = min(len(errors), len(right), KEPT)
        self.errors = array("f", errors[len(errors) - count :])
        self.right = array("b", [bool(each) for each in right[len(right) - count :]])

    def drop(self) -> None:
        """What is under way will tell nothing: another thing is measured from now on."""
        self.pending = None

    def _judge(self, case: Case, at: float, season: Season) -> None:
        error = case.error(at, season)
        if error is None:
            return
        self.errors.append(max(-99.0, min(99.0, error)))
        self.right.append(case.low <= error <= case.high)
        if len(self.errors) > KEPT:
            del self.errors[0], self.right[0]
