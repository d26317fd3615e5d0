"""Says when the level of a series moved, and stayed. Streaming, robust, constant memory; spikes, bursts, seasons,
trends and wandering are no shifts.

The series is thinned to points, the means of `POINT_S` seconds, of which the newest three windows are kept. The median
of the oldest window is compared with those of the two after it. A shift is a difference that

- is large beside the spread within the windows (median absolute deviation), and beside what matters at all;
- is far beyond what is usual from window to window in this series: the 90 % quantile of the differences so far. That
  makes one threshold serve series of every kind, and holds back seasons, wandering and regular jobs;
- came at once, after a quarter of an hour at the old level, and stays for as long at the new one. A trend would have
  gone on, a burst come back.

After Killick, Fearnhead, Eckley, "Optimal detection of changepoints" (JASA 2012) the place is where two constant levels
leave the least squares (place.py); medians and MAD after Huber, "Robust Statistics" (1981)."""

import math
from array import array
from dataclasses import dataclass

from autonomyd.analyze.median import median
from autonomyd.analyze.shifts.place import placed

POINT_S = 10.0
"""A point is the mean of what comes within this time: services look every second, the host every ten."""
WINDOW = 24
"""Points of a window: 4 min."""
KEPT = 3 * WINDOW
STRIDE = WINDOW // 2
"""A judgement every so many points."""
USUAL = 90
"""Differences from window to window that are remembered: three hours of them."""
LEARNED = 20
"""... and so many are needed before anything is said: 40 min."""
QUANTILE = 0.9
TIMES_USUAL = 3.5
"""How much larger than the usual difference (its 90 % quantile) a shift is: 5.8 deviations where it is normal."""
TIMES_SPREAD = 3.5
STAYED = (0.7, 1.35)
"""Where the third window must lie, the first being 0 and the second 1; a straight trend would be at 2."""
STILL = 0.35
"""Most that either side may wander within itself, as a share of the shift: what rises steadily has no step."""
AROUND = 5
"""Judgements (2 min each) before and after the three windows in which the level must be the same: what comes and goes
within a quarter of an hour is a burst."""
SHARE_FLOOR = 0.02
"""A spread smaller than this share of the level counts as this share: a shift is 7 % of the level at least."""
MAD_TO_DEVIATION = 1.4826
GAP_S = 600.0
"""After a longer silence everything before it is another story."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The level went from `before` to `after` at `at`, give or take `within_s` (the clock of the samples, s); `size` is
    how many times the spread."""

    at: float
    within_s: float
    before: float
    after: float
    size: float


class ShiftDetector:
    """Judges one series; feed it in order of time. `least` is the smallest shift that matters, in the series' unit.
    What is not a number, or not later than what came before, is passed over and counted in `refused`."""

    __slots__ = (
        "_at",
        "_begun",
        "_count",
        "_end",
        "_last",
        "_levels",
        "_pending",
        "_sum",
        "_told",
        "_usual",
        "_values",
        "_wait",
        "least",
        "refused",
    )

    def __init__(self, *, least: float = 0.0) -> None:
        self.least = least
        self.refused = 0
        self._at = array("d")
        self._values = array("d")
        self._usual = array("f")
        self._levels = array("d")
        self._begun = self._last = self._end = -math.inf
        self._sum = 0.0
        self._count = 0
        self._pending: Move | None = None
        self._wait = 0
        self._told: tuple[float, float] | None = None

    @property
    def last(self) -> float:
        """When the newest sample was taken; -inf before the first."""
        return self._last

    @property
    def learning(self) -> bool:
        """Whether it does not know yet what is usual in this series."""
        return len(self._usual) < LEARNED

    def observe(self, at: float, value: float) -> Move | None:
        """Take a sample in (`at`: seconds of one steady clock); a Move when one is now certain."""
        if not (at > self._last and value - value == 0.0):
            self.refused += 1  # nan and infinities less themselves are nan
            return None
        self._last = at
        if at < self._end:
            self._sum += value
            self._count += 1
            return None
        found = self._point() if self._count else None
        self._begun = at
        self._end = at + POINT_S * 0.75  # looks are jittered: two that are a hair nearer than 10 s are two points
        self._sum = value
        self._count = 1
        return found

    def _point(self) -> Move | None:
        """The samples since `_begun` are a point."""
        at, values = self._at, self._values
        value = self._sum / self._count
        if value - value != 0.0:
            self.refused += 1  # finite values, and yet their sum is not
            return None
        if at and self._begun - at[-1] > GAP_S:
            del at[:], values[:], self._levels[:]
            self._pending = None
        at.append(self._begun)
        values.append(value)
        if len(values) < KEPT:
            return None
        move = self._judged(values.tolist())
        del at[:STRIDE], values[:STRIDE]
        return move

    def _judged(self, values: list[float]) -> Move | None:
        first, second, third = values[:WINDOW], values[WINDOW : 2 * WINDOW], values[2 * WINDOW :]
        before, after, later = median(first), median(second), median(third)
        step = after - before
        levels = tuple(self._levels)
        self._levels.append(before)
        if len(levels) >= AROUND:
            del self._levels[0]
        usual = self._remembered(abs(step))
        if self._pending is not None:
            return self._waited(later)
        if usual is None or not abs(step) >= max(TIMES_USUAL * usual, self.least) or not step:
            return None
        if not STAYED[0] <= (later - before) / step <= STAYED[1]:
            return None
        if not all(abs(level - before) <= STILL * abs(step) for level in levels):
            return None
        spread = max(_spread(first, before), _spread(second, after))
        spread = max(spread, SHARE_FLOOR * max(abs(before), abs(after)))
        if abs(step) >= TIMES_SPREAD * spread:
            self._pending = self._placed(values, spread=spread)
            self._wait = AROUND
        return None

    def _waited(self, level: float) -> Move | None:
        """Whether what looked like a shift some minutes ago has stayed: it is certain then."""
        move = self._pending
        assert move is not None
        bound = STILL * abs(move.after - move.before)
        if not abs(level - move.after) <= bound:
            self._pending = None
            return None
        self._wait -= 1
        if self._wait:
            return None
        self._pending = None
        told = self._told
        self._told = (move.before, move.after)
        # the same move once more, the level having crept back in between: the rhythm of a saw-tooth
        again = told is not None and abs(told[0] - move.before) <= bound and abs(told[1] - move.after) <= bound
        return None if again else move

    def _placed(self, values: list[float], *, spread: float) -> Move | None:
        split, early, late = placed(values, begin=WINDOW // 3, end=2 * WINDOW, spread=spread)
        before, after = median(values[:split]), median(values[split:])
        step = after - before
        for side in (values[max(0, split - WINDOW) : split], values[split:]):
            half = len(side) // 2
            if not abs(median(side[half:]) - median(side[:half])) <= STILL * abs(step):
                return None
        at = self._at
        # a point of one sample is on one level; one of many may be the very one in which the level moved
        inside = 0 if self._count == 1 else 1
        onset = (at[split - 1] + at[split + inside]) / 2.0
        within_s = max(at[late + inside] - onset, onset - at[early - 1], POINT_S / 2.0)
        return Move(at=onset, within_s=within_s, before=before, after=after, size=abs(step) / spread)

    def _remembered(self, difference: float) -> float | None:
        """Note this difference; what was usual before it (the quantile), None while it is being learned."""
        usual = self._usual
        known = None if len(usual) < LEARNED else sorted(usual)[int(QUANTILE * len(usual))]
        usual.append(min(difference, 3e38))
        if len(usual) > USUAL:
            del usual[0]
        return known


def _spread(values: list[float], centre: float) -> float:
    return MAD_TO_DEVIATION * median([abs(value - centre) for value in values])
