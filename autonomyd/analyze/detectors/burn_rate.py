"""How fast a service uses up the time that it may fail: the multi-window, multi-burn-rate alert of "The Site
Reliability Workbook" (Beyer et al. 2018, chapter 5, table 5-8).

An objective of 99 % leaves a budget of 1 % of the time. The burn rate of a window is its share of bad time over that
budget; 1 uses the budget up in exactly its period. A long window says that it matters, a short one (a twelfth of it)
that it goes on, so that the claim ends soon after the trouble does."""

import math
from array import array
from dataclasses import dataclass

from autonomyd.model.health import Severity
from autonomyd.model.words import DAY_S, HOUR_S, MINUTE_S

FINE_S = 60.0
"""Buckets of the windows up to an hour."""
COARSE_S = 1800.0
"""... and of those up to three days."""
CARRY_S = 180.0
"""A state counts for so long after it was seen; a longer silence is unknown time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnRule:
    """Burning when both windows burn at `factor` at least."""

    long_s: float
    short_s: float
    factor: float
    severity: Severity


RULES = (
    BurnRule(long_s=HOUR_S, short_s=5 * MINUTE_S, factor=14.4, severity=Severity.WARNING),
    BurnRule(long_s=6 * HOUR_S, short_s=30 * MINUTE_S, factor=6.0, severity=Severity.WARNING),
    BurnRule(long_s=DAY_S, short_s=2 * HOUR_S, factor=3.0, severity=Severity.NOTICE),
    BurnRule(long_s=3 * DAY_S, short_s=6 * HOUR_S, factor=1.0, severity=Severity.NOTICE),
)
"""Of the workbook's alerts the first two page a person, the others are for the next working day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """The budget burns `rate` times as fast as it may, over the long window of `rule`, of which `bad_s` were bad."""

    rule: BurnRule
    rate: float
    bad_s: float


class BurnRate:
    """The good and the bad time of one service. Feed it in order of time, with what is so from now on; time goes by
    `at`, seconds of a steady clock. Unknown time is never held against a service. 1.8 KB."""

    __slots__ = ("_budget", "_coarse", "_fine", "_since", "last")

    def __init__(self, objective_percent: float) -> None:
        self.aim(objective_percent)
        self._fine = _Buckets(size_s=FINE_S, count=int(HOUR_S / FINE_S) + 1)
        self._coarse = _Buckets(size_s=COARSE_S, count=int(3 * DAY_S / COARSE_S) + 1)
        self.last: bool | None = None
        self._since = 0.0

    def aim(self, objective_percent: float) -> None:
        """Judge by this objective, at most 99.9999 %; a perfect one has no budget to speak of."""
        self._budget = max(1e-6, 1.0 - objective_percent / 100.0)

    def observe(self, at: float, good: bool | None) -> None:
        """From `at` on it works (True), does not (False), or nobody knows (None)."""
        if not self._since <= at < math.inf:
            return  # told late: what is known by now is newer
        if self.last is not None:
            end = min(at, self._since + CARRY_S)
            for buckets in (self._fine, self._coarse):
                buckets.add(self._since, end, bad=not self.last)
        self._since = at
        self.last = good

    def burning(self, at: float) -> Burn | None:
        """The first rule by which the budget burns too fast now."""
        for rule in RULES:
            bad_s = self._spans(rule.long_s).of_last(rule.long_s, at)[0]
            rate = bad_s / rule.long_s / self._budget
            short_s = self._spans(rule.short_s).of_last(rule.short_s, at)[0]
            if rate >= rule.factor and short_s / rule.short_s / self._budget >= rule.factor:
                return Burn(rule=rule, rate=rate, bad_s=bad_s)
        return None

    def availability(self, at: float) -> tuple[float, float] | None:
        """(share of good time in percent, known seconds that it is of) over the last day; None before any."""
        bad_s, known_s = self._coarse.of_last(DAY_S, at)
        return (100.0 * (1.0 - bad_s / known_s), known_s) if known_s > 0.0 else None

    def _spans(self, window_s: float) -> "_Buckets":
        return self._fine if window_s <= HOUR_S else self._coarse


class _Buckets:
    """Bad and known seconds in a ring of equal spans of time."""

    __slots__ = ("_bad", "_count", "_known", "_newest", "_size_s")

    def __init__(self, *, size_s: float, count: int) -> None:
        self._size_s = size_s
        self._count = count
        self._bad = array("f", bytes(4 * count))
        self._known = array("f", bytes(4 * count))
        self._newest = -1

    def add(self, begin: float, end: float, *, bad: bool) -> None:
        """The time from `begin` to `end` is known."""
        size = self._size_s
        while begin < end:
            number = int(begin // size)
            upto = min(end, (number + 1) * size)
            if not upto > begin:
                return  # no clock gets here: numbers so large have no seconds
            self._turn_to(number)
            place = number % self._count
            self._known[place] += upto - begin
            if bad:
                self._bad[place] += upto - begin
            begin = upto

    def of_last(self, window_s: float, at: float) -> tuple[float, float]:
        """(bad, known) seconds of the last `window_s`, to the bucket."""
        last = int(at // self._size_s)
        first = last - int(window_s / self._size_s) + 1
        numbers = range(max(first, self._newest - self._count + 1, 0), min(last, self._newest) + 1)
        places = [number % self._count for number in numbers]
        return sum(self._bad[each] for each in places), sum(self._known[each] for each in places)

    def _turn_to(self, number: int) -> None:
        """Empty what lies between the newest bucket and this one."""
        for each in range(max(self._newest + 1, number - self._count + 1), number + 1):
            self._bad[each % self._count] = 0.0
            self._known[each % self._count] = 0.0
        self._newest = max(self._newest, number)
