"""The season of a series: the mean of each hour of the day, apart for working days and weekends."""

import math
from collections.abc import Mapping
from typing import Any

from autonomyd.analyze.anomaly.packed import packed, singles, unpacked
from autonomyd.model.words import DAY_S, HOUR_S

HOURS = 24
DAY_OF_EPOCH = 3
"""1 January 1970 was a Thursday; days are counted from Monday."""
SATURDAY = 5
DAY_RATE = 0.05
"""Weight of one more day in the mean of an hour: it follows a season that changes within three weeks."""
SLOW = 0.002
"""Weight of one sample in the variances: they span some 500 samples."""
KNOWN_S = 2 * DAY_S
"""Before this there is no season: an hour that was seen once explains itself."""
EXPLAINS = 0.5
"""There is a season when the hours leave less than this share of the variance."""
MOST_COUNTED = 65535.0


class Season:
    """Feed it in order of time. `seasonal` says whether the hours explain most of how the series varies."""

    __slots__ = ("_begin", "_counts", "_hours", "_last", "_left", "_level", "_seen", "_variance")

    def __init__(self) -> None:
        self._hours = singles([0.0] * 2 * HOURS)
        self._counts = singles([0.0] * 2 * HOURS)
        self._begin = math.inf
        self._last = 0.0
        self._seen = 0
        self._level = 0.0
        self._variance = 0.0
        self._left = 0.0

    @property
    def seasonal(self) -> bool:
        return self._left < EXPLAINS * self._variance and self._last - self._begin >= KNOWN_S

    def observe(self, at: float, value: float) -> float:
        """What the hour of `at` (epoch seconds, UTC) leaves of `value`; 0 in an hour that was never seen."""
        day, second = divmod(at, DAY_S)
        hour = int(second / HOUR_S)
        if (day + DAY_OF_EPOCH) % 7 >= SATURDAY:
            hour += HOURS
        if at < self._begin:
            self._begin = at
        gap, self._last = at - self._last, at
        count = self._counts[hour]
        if count:
            left = value - self._hours[hour]
            rate = DAY_RATE * gap / HOUR_S if gap < HOUR_S else DAY_RATE
            count += 1.0
            self._hours[hour] += left * (rate if rate * count > 1.0 else 1.0 / count)
        else:
            left = 0.0
            count = 1.0
            self._hours[hour] = value
        if count < MOST_COUNTED:
            self._counts[hour] = count
        self._weigh(value, left)
        return left

    def dump(self) -> dict[str, Any]:
        """What `load` takes, of JSON values."""
        figures = [self._begin, self._last, self._seen, self._level, self._variance, self._left]
        return {"hours": packed(self._hours), "counts": packed(self._counts), "figures": figures}

    def load(self, state: Mapping[str, Any]) -> None:
        """Raises KeyError, TypeError or ValueError when `state` is not what `dump` gave."""
        hours, counts = unpacked(state["hours"]), unpacked(state["counts"])
        begin, last, seen, level, variance, left = map(float, state["figures"])
        if len(hours) != 2 * HOURS or len(counts) != 2 * HOURS:
            raise ValueError("not the hours of two kinds of days")
        if not all(map(math.isfinite, (begin, last, seen, level, variance, left))):
            raise ValueError("a figure that is not finite")
        self._hours, self._counts = hours, counts
        self._begin, self._last, self._seen = begin, last, int(seen)
        self._level, self._variance, self._left = level, variance, left

    def _weigh(self, value: float, left: float) -> None:
        """Exponentially weighted mean and variances, of the whole and of what the hour leaves."""
        self._seen = seen = self._seen + 1
        rate = SLOW if SLOW * seen > 1.0 else 1.0 / seen
        off = value - self._level if seen > 1 else 0.0
        self._level = self._level + rate * off if seen > 1 else value
        self._variance += rate * (off * off - self._variance)
        self._left += rate * (left * left - self._left)
