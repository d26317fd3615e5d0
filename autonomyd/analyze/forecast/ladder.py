"""The sketch of a series: seconds, minutes, hours and days, at most 97 points in all, whatever its age.

Each rung keeps the means of its newest buckets; a bucket that closes is one sample of the next rung. A hole is bridged
by a straight line; one that is longer than a rung empties that rung."""

import math
from array import array
from collections.abc import Sequence
from typing import Final

HOUR_S: Final = 3600.0
DAY_S: Final = 86400.0
SHAPE: Final = ((10.0, 12), (60.0, 15), (600.0, 18), (HOUR_S, 24), (6 * HOUR_S, 12), (DAY_S, 16))
"""Length of a bucket in seconds, and how many are kept."""
BACK_S: Final = HOUR_S
"""What is older than the newest sample is out of order; by more than this, and the clock was set back."""
FORTH_S: Final = 400 * DAY_S
PACE_SHARE: Final = 0.1
"""How fast the mean time between samples follows."""


class Rung:
    """One resolution: `values` are the means of the newest buckets of `step_s` seconds, oldest first; `last` is the
    number (since the epoch) of the newest of them, None before the first."""

    __slots__ = ("_count", "_index", "_sum", "last", "size", "step_s", "values")

    def __init__(self, step_s: float, size: int) -> None:
        self.step_s = step_s
        self.size = size
        self.values = array("d")
        self.last: int | None = None
        self._index: int | None = None
        self._sum = 0.0
        self._count = 0

    @property
    def span_s(self) -> float:
        return len(self.values) * self.step_s

    @property
    def ends_at(self) -> float:
        """The end of the newest closed bucket; -inf before the first."""
        return -math.inf if self.last is None else (self.last + 1) * self.step_s

    def add(self, at: float, value: float) -> tuple[float, float] | None:
        """Take a sample in; when that closes a bucket, its middle and its mean."""
        index = int(at // self.step_s)
        open_one = self._index
        if index == open_one:
            self._sum += value
            self._count += 1
            return None
        closed = None
        if open_one is not None:
            mean = self._sum / self._count
            self._close(open_one, mean)
            closed = ((open_one + 0.5) * self.step_s, mean)
        self._index = index
        self._sum = value
        self._count = 1
        return closed

    def restore(self, last: int | None, values: Sequence[float]) -> None:
        """Take back what an earlier run kept; the bucket that was open then is lost."""
        self.values = array("d", values[-self.size :])
        self.last = last if self.values else None

    def _close(self, index: int, mean: float) -> None:
        values, last = self.values, self.last
        gap = 0 if last is None else index - last - 1
        if gap >= self.size:
            del values[:]
        elif gap > 0:
            rise = (mean - values[-1]) / (gap + 1)
            values.extend([values[-1] + rise * step for step in range(1, gap + 1)])
        values.append(mean)
        if len(values) > self.size:
            del values[: len(values) - self.size]
        self.last = index


class Ladder:
    """All rungs of one series. Times are epoch seconds that go forward; what is not a number, out of order or from a
    clock that was set by more than an hour is `skipped` or begins anew, and never raises. `pace_s` is the time between
    samples: the buckets of a finer rung are mostly bridged."""

    __slots__ = ("at", "pace_s", "rungs", "skipped", "value")

    def __init__(self) -> None:
        self.rungs = tuple(Rung(step_s, size) for step_s, size in SHAPE)
        self.at = -math.inf
        self.value = math.nan
        self.pace_s = 0.0
        self.skipped = 0

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
        for rung in self.rungs:
            closed = rung.add(at, value)
            if closed is None:
                break
            at, value = closed
        return True

    def clear(self) -> None:
        """Forget all samples: another thing is measured from now on."""
        self.rungs = tuple(Rung(step_s, size) for step_s, size in SHAPE)
        self.at = -math.inf

    def newest(self) -> float:
        """The level now: the mean of the newest minute; nan before the first sample."""
        newest = self.rungs[0].values[-6:]
        return math.fsum(newest) / len(newest) if newest else self.value


MOST: Final = 1e15
"""No figure of a machine is larger; the squares of such figures are still numbers."""
