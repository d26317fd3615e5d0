"""The sketch of a series: seconds, minutes, hours and days, at most 97 points in all, whatever its age.

Each rung keeps the means of its newest buckets; a bucket that closes is one sample of the next rung. A hole is bridged
by a straight line; one that is longer than a rung empties that rung. All points lie in one array of singles (seven
digits are more than a forecast needs), all counters in one of doubles: a rung is looked at, and not kept."""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

HOUR_S: Final = 3600.0
DAY_S: Final = 86400.0
SHAPE: Final = ((10.0, 12), (60.0, 15), (600.0, 18), (HOUR_S, 24), (6 * HOUR_S, 12), (DAY_S, 16))
"""Length of a bucket in seconds, and how many are kept."""
FINEST_S: Final = SHAPE[0][0]
RUNGS: Final = len(SHAPE)
BEGINS: Final = (0, *accumulate(size for _, size in SHAPE))
"""Where the points of each rung begin; the last is their number in all."""
BACK_S: Final = HOUR_S
"""What is older than the newest sample is out of order; by more than this, and the clock was set back."""
FORTH_S: Final = 400 * DAY_S
PACE_SHARE: Final = 0.1
"""How fast the mean time between samples follows."""
NEWEST: Final = 6
"""So many of the finest points are the level of late."""
MOST: Final = 1e15
"""No figure of a machine is larger; the squares of such figures are still numbers."""
LAST, OPEN, SUM, COUNT, KEPT, COUNTERS = range(6)
"""The counters of a rung: the number (since the epoch) of the newest closed bucket and of the open one (nan: none),
sum and count of what is in the open one, and how many points are kept."""
FRESH: Final = array("d", (math.nan, math.nan, 0.0, 0.0, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One resolution, as it is now: `values` are the means of the newest buckets of `step_s` seconds, oldest first;
    `last` is the number (since the epoch) of the newest of them, None before the first."""

    step_s: float
    size: int
    last: int | None
    values: Sequence[float]

    @property
    def span_s(self) -> float:
        return len(self.values) * self.step_s

    @property
    def ends_at(self) -> float:
        """The end of the newest closed bucket; -inf before the first."""
        return -math.inf if self.last is None else (self.last + 1) * self.step_s


class Ladder:
    """All rungs of one series. Times are epoch seconds that go forward; what is not a number, out of order or from a
    clock that was set by more than an hour is `skipped` or begins anew, and never raises. `pace_s` is the time between
    samples: the buckets of a finer rung are mostly bridged. `phase_s`: so much after the middle of its bucket comes the
    mean sample."""

    __slots__ = ("_counters", "_points", "at", "pace_s", "phase_s", "skipped", "value")

    def __init__(self) -> None:
        self._points = array("f", [0.0]) * BEGINS[-1]
        self._counters = FRESH * RUNGS
        self.at = -math.inf
        self.value = math.nan
        self.pace_s = 0.0
        self.phase_s = 0.0
        self.skipped = 0

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """Finest first."""
        return tuple(map(self.rung, range(RUNGS)))

    def rung(self, number: int) -> Rung:
        """0 is the finest."""
        step_s, size = SHAPE[number]
        return Rung(step_s=step_s, size=size, last=self.last(number), values=self.points(number))

    def step_s(self, number: int) -> float:
        """The length of a rung's buckets."""
        return SHAPE[number][0]

    def points(self, number: int) -> "array[float]":
        """A copy of the points of a rung, oldest first."""
        begin = BEGINS[number]
        return self._points[begin : begin + self.kept(number)]

    def kept(self, number: int) -> int:
        """How many points a rung has."""
        return int(self._counters[number * COUNTERS + KEPT])

    def last(self, number: int) -> int | None:
        """The number of the newest closed bucket of a rung; None before the first."""
        last = self._counters[number * COUNTERS + LAST]
        return None if math.isnan(last) else int(last)

    def add(self, at: float, value: float) -> bool:
        """Take a sample in; False when it is of no use (and counted)."""
        if not math.isfinite(value) or not math.isfinite(at) or abs(value) > MOST:
            self.skipped += 1
            return False
        if not self.at < at < self.at + FORTH_S and self.at > -math.inf:
            self.skipped += 1
            if at <= self.at and at > self.at - BACK_S:
                return False
            self.clear()
        if self.at > -math.inf:
            apart = min(at - self.at, DAY_S)
            self.pace_s += PACE_SHARE * (apart - self.pace_s) if self.pace_s else apart
        self.at, self.value = at, value
        self.phase_s += PACE_SHARE * (at % FINEST_S - FINEST_S / 2.0 - self.phase_s)
        for number in range(RUNGS):
            closed = self._take(number, at, value)
            if closed is None:
                break
            at, value = closed
        return True

    def clear(self) -> None:
        """Forget all samples: another thing is measured from now on."""
        self._counters = FRESH * RUNGS
        self.at = -math.inf

    def restore(self, number: int, last: int | None, values: Sequence[float]) -> None:
        """Take back what an earlier run kept of a rung; the bucket that was open then is lost."""
        values = values[-SHAPE[number][1] :]
        self._put(number, array("f", values))
        if last is not None and values:
            self._counters[number * COUNTERS + LAST] = last

    def newest(self) -> tuple[float, float]:
        """The level of late, and how many seconds ago that was: the mean of the newest minute; nan before the first
        sample."""
        kept = self.kept(0)
        newest = self._points[max(0, kept - NEWEST) : kept]
        if not newest:
            return self.value, 0.0
        middle = (self._counters[LAST] + 1.0 - len(newest) / 2.0) * FINEST_S
        return math.fsum(newest) / len(newest), self.at - self.phase_s - middle

    def _take(self, number: int, at: float, value: float) -> tuple[float, float] | None:
        """A sample for one rung; when that closes a bucket, its middle and its mean."""
        counters, base = self._counters, number * COUNTERS
        step_s = SHAPE[number][0]
        index = at // step_s
        open_one = counters[base + OPEN]
        if index == open_one:
            counters[base + SUM] += value
            counters[base + COUNT] += 1.0
            return None
        closed = None
        if not math.isnan(open_one):
            mean = counters[base + SUM] / counters[base + COUNT]
            self._close(number, open_one, mean)
            closed = ((open_one + 0.5) * step_s, mean)
        counters[base + OPEN] = index
        counters[base + SUM] = value
        counters[base + COUNT] = 1.0
        return closed

    def _close(self, number: int, index: float, mean: float) -> None:
        counters, base = self._counters, number * COUNTERS
        size = SHAPE[number][1]
        values = self.points(number)
        gap = 0.0 if math.isnan(counters[base + LAST]) else index - counters[base + LAST] - 1.0
        if gap >= size:
            del values[:]
        elif gap > 0.0 and values:
            before = values[-1]
            rise = (mean - before) / (gap + 1.0)
            values.extend([before + rise * step for step in range(1, int(gap) + 1)])
        values.append(mean)
        self._put(number, values[-size:])
        counters[base + LAST] = index

    def _put(self, number: int, values: "array[float]") -> None:
        begin = BEGINS[number]
        self._points[begin : begin + len(values)] = values
        self._counters[number * COUNTERS + KEPT] = len(values)
