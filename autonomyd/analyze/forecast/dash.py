"""What fills fast and for the first time: steady, steep growth onto new ground, over a few samples. Nothing of it was
ever put to the test, so it is only told, and only when the line is as clear as lines of machines get."""

import math
from array import array
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from autonomyd.analyze.forecast.ladder import DAY_S, HOUR_S
from autonomyd.analyze.forecast.line import Line

KEPT: Final = 24
SIZES: Final = (8, 12, 18)
"""A dash is a line through so many of the newest samples; at least one in four more came before it."""
APART_S: Final = 3.0
"""Samples that come faster than this are left out: a large file that is written at once is no growth."""
SHARE: Final = 0.12
"""It has led over at least this share of the way from 0 to the bound, all of it where the series never was."""
CLEAR: Final = 0.06
"""What the line does not explain, at most, as a share of what it rises."""
PARTS: Final = 4
LEAST_PART: Final = 0.5
"""It has risen in each quarter by at least this share of a quarter of the whole."""
HOLDS: Final = 0.25
"""Such growth turns out steeper or flatter by this share of itself; nobody has measured it."""
SURE: Final = 1.28
"""So many standard deviations on either side hold four of five normal errors."""
DAYS: Final = 7
HOURS: Final = 24
"""For so many days, and hours, it is known how high a series was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rush:
    """A bound `left_s` seconds away, `soonest_s` to `latest_s`; it rises by `per_s` a second, as the last `span_s`
    seconds show; `steepness`: in standard deviations of that rise."""

    left_s: float
    soonest_s: float
    latest_s: float | None
    per_s: float
    span_s: float
    steepness: float


class Dash:
    """The newest samples of a series, and how high it was before them."""

    __slots__ = ("_at", "_day", "_highs", "_hour", "_values")

    def __init__(self) -> None:
        self._at = array("d")
        self._values = array("f")
        self._highs = array("f", [-math.inf]) * (DAYS + HOURS)
        self._day = self._hour = 0

    def add(self, at: float, value: float) -> None:
        """Take a sample in. When time went back, it begins anew."""
        if self._at and at < self._at[-1]:
            self.clear()
        if self._at and at - self._at[-1] < APART_S:
            return
        self._at.append(at)
        self._values.append(value)
        if len(self._at) > KEPT:
            self._remember(self._at[0], self._values[0])
            del self._at[0], self._values[0]

    def clear(self) -> None:
        """Forget all samples: another thing is measured from now on."""
        del self._at[:], self._values[:]
        self._highs = array("f", [-math.inf]) * (DAYS + HOURS)
        self._day = self._hour = 0

    def rush(self, bound: float) -> Rush | None:
        """How it dashes to `bound` (above 0); None when it does not. The shortest line that is clear speaks: it is the
        newest."""
        values = self._values
        if len(values) < SIZES[0] or bound <= 0.0 or values[-1] - min(values) < SHARE * bound or values[-1] >= bound:
            return None
        return next((found for size in SIZES if (found := self._through(size, bound)) is not None), None)

    def highest_before(self, at: float) -> float:
        """How high it was in the hours and days that were over by then; -inf when nobody knows."""
        hour, day = int(at // HOUR_S), int(at // DAY_S)
        hours = (self._highs[DAYS + each % HOURS] for each in range(self._hour - HOURS + 1, min(hour, self._hour + 1)))
        days = (self._highs[each % DAYS] for each in range(self._day - DAYS + 1, min(day, self._day + 1)))
        return max((*hours, *days), default=-math.inf)

    def _remember(self, at: float, value: float) -> None:
        self._day = self._raise(0, DAYS, self._day, int(at // DAY_S), value)
        self._hour = self._raise(DAYS, HOURS, self._hour, int(at // HOUR_S), value)

    def _raise(self, begin: int, size: int, newest: int, number: int, value: float) -> int:
        """Take a value into the highest of the hour or day `number`; what is the newest one now."""
        highs = self._highs
        for fresh in range(max(newest, number - size) + 1, number + 1):
            highs[begin + fresh % size] = -math.inf
        newest = max(number, newest)
        highs[begin + newest % size] = max(highs[begin + newest % size], value)
        return newest

    def _through(self, size: int, bound: float) -> Rush | None:
        before = len(self._values) - size
        if before < size // PARTS:
            return None
        ground = max(*self._highs[:DAYS], *self._values[:before])
        values, at = self._values[before:], self._at[before:]
        whole = values[-1] - values[0]
        if values[-1] - ground < SHARE * bound or whole < SHARE * bound or not _rises_all_along(values, whole):
            return None
        middle, mean = math.fsum(at) / size, math.fsum(values) / size
        spread = math.fsum((each - middle) ** 2 for each in at)
        rise = math.fsum((each - middle) * (value - mean) for each, value in zip(at, values, strict=True)) / spread
        beside = math.fsum((value - mean - rise * (each - middle)) ** 2 for each, value in zip(at, values, strict=True))
        noise = beside / (size - 2)
        if math.sqrt(noise) > CLEAR * whole:
            return None
        return _rush(rise, noise, spread, span_s=at[-1] - at[0], distance=bound - values[-1])


def _rises_all_along(values: "array[float]", whole: float) -> bool:
    last = len(values) - 1
    marks = [values[round(part * last / PARTS)] for part in range(PARTS + 1)]
    return all(after - before >= LEAST_PART * whole / PARTS for before, after in pairwise(marks))


def _rush(rise: float, noise: float, spread: float, *, span_s: float, distance: float) -> Rush:
    left_s = distance / rise
    rise_var = noise / spread
    line = Line(rise=rise, level=0.0, level_var=noise, noise=noise, walk=0.0, rise_var=rise_var + (HOLDS * rise) ** 2)
    return Rush(
        left_s=left_s,
        soonest_s=line.reaches(distance, SURE) or 0.0,
        latest_s=line.reaches(distance, -SURE),
        per_s=rise,
        span_s=span_s,
        steepness=rise / math.sqrt(rise_var) if rise_var > 0.0 else math.inf,
    )
