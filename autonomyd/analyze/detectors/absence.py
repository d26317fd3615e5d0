"""A series that has stopped coming. Silence while its source says that it can't tell is not absence."""

import math
from dataclasses import dataclass

LEARNED_FROM = 30
"""Values, before its own rhythm may be judged by."""
TIMES_USUAL = 10.0
LEAST_S = 60.0
REGULAR_SHARE = 0.5
"""A series whose gaps vary by more than this share of their mean has no rhythm that it could lose."""
WEIGHT = 0.1
"""Of the newest gap in the running mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Nothing came for `for_s` seconds; at most `bound_s` were expected, because somebody said so or (`learned`)
    because it comes every `usual_s`."""

    for_s: float
    bound_s: float
    usual_s: float
    learned: bool


class AbsenceDetector:
    """`after_s` is the silence that is too long; None: learned from the series' own rhythm. Times are monotonic."""

    __slots__ = ("_deviation", "_last", "_seen", "_usual", "after_s")

    def __init__(self, after_s: float | None, *, at: float) -> None:
        self.after_s = after_s
        self._last = at
        self._seen = 0
        self._usual = 0.0
        self._deviation = 0.0

    def heard(self, at: float) -> None:
        """A value came."""
        gap = at - self._last
        if not (math.isfinite(at) and gap >= 0.0):
            return
        if self._seen == 1:
            self._usual = gap
        elif self._seen > 1:
            self._deviation += WEIGHT * (abs(gap - self._usual) - self._deviation)
            self._usual += WEIGHT * (gap - self._usual)
        self._seen += 1
        self._last = at

    def excused(self, at: float) -> None:
        """Its source says that it can't tell: the silence up to now counts for nothing."""
        self._last = max(self._last, at)

    def silence(self, at: float) -> Silence | None:
        """The silence, when it is too long."""
        bound_s = self.after_s if self.after_s is not None else self._learned_s()
        for_s = at - self._last
        if bound_s is None or not for_s > bound_s:
            return None
        return Silence(for_s=for_s, bound_s=bound_s, usual_s=self._usual, learned=self.after_s is None)

    def _learned_s(self) -> float | None:
        if self._seen < LEARNED_FROM or self._deviation > REGULAR_SHARE * self._usual:
            return None
        return max(LEAST_S, TIMES_USUAL * self._usual)
