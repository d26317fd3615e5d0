"""How new a value is: its distance to the nearest value seen before, ranked among the distances that came before it.

The distance is that of the nearest-neighbour anomaly detectors; its rank among its own past is a conformal p-value, and
that makes one threshold serve every series, whatever its range and shape (Laxhammar and Falkman, "Conformal prediction
for distribution-independent anomaly detection in streaming vessel data", 2010; Burnaev and Ishimtsev, "Conformalized
density- and distance-based anomaly detection in time-series data", 2016). Both memories are bounded here: the two
nearest levels become one when there are too many, and only the largest distances are kept.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping
from operator import sub
from typing import Any

from autonomyd.analyze.anomaly.packed import packed, singles, unpacked

LEVELS = 128
"""Levels kept: the finest distinction is about this part of the range."""
FARTHEST = 64
"""Distances kept, the largest: ranks below these are not told apart. At HORIZON samples that is one in 128."""
HORIZON = 8192
"""Samples after which half of what the rank rests on is forgotten: what is usual for a series may change."""
FIRST = 100
"""Samples that only fill the levels: at first everything is new, and would be a bad measure of newness. From 75 to 150
the benchmark scores the same."""
TAIL = 3.0
"""Beyond the largest distance so far the chance is taken to fall with this power of the distance, as in a heavy tail:
traffic, response times (Hill, "A simple general approach to inference about the tail of a distribution",
1975, estimates the power; here it is assumed)."""
FURTHEST = 1e6
"""No distance counts as more than this many times the largest so far: that may be 0."""
_ROUNDING = 1e-6
"""Singles differ by less than this share when the numbers were the same."""


def tail(distance: float, farthest: float) -> float:
    """Decades that a `distance` beyond the `farthest` so far adds to the rank: TAIL log10(distance / farthest)."""
    return TAIL * math.log10(min(FURTHEST, distance / farthest) if farthest > 0.0 else FURTHEST)


class Novelty:
    """One view of one series. `distance` is that of the newest value to the nearest one before it, `farthest` the
    largest distance that was ranked before it."""

    __slots__ = ("_base", "_largest", "_levels", "_ranked", "_same", "distance", "farthest")

    def __init__(self) -> None:
        self._base = 0.0  # levels are kept as singles, from the first value: their 7 digits go to what varies
        self._levels = singles()
        self._same = 0.0
        self._largest = singles()
        self._ranked = -FIRST
        self.distance = 0.0
        self.farthest = 0.0

    def observe(self, value: float) -> float:
        """The decimal logarithm of 1/p: 2 is as new as one value in a hundred so far was; above all of them it goes on
        with the distance. 0 for the first FIRST."""
        levels = self._levels
        if levels:
            value -= self._base
            place = bisect_left(levels, value)
            distance = levels[place] - value if place < len(levels) else math.inf
            if place and value - levels[place - 1] < distance:
                distance = value - levels[place - 1]
            if distance > self._same and distance > _ROUNDING * abs(value):
                levels.insert(place, value)
                if len(levels) > LEVELS:
                    self._merge()
        else:
            self._base, distance = value, 0.0
            levels.append(0.0)
        self.distance = distance
        self._ranked += 1
        return self._rank(distance) if self._ranked > 0 else 0.0

    def dump(self) -> dict[str, Any]:
        """What `load` takes, of JSON values."""
        return {
            "base": self._base,
            "same": self._same,
            "ranked": self._ranked,
            "levels": packed(self._levels),
            "largest": packed(self._largest),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Raises KeyError, TypeError or ValueError when `state` is not what `dump` gave."""
        base, same, ranked = float(state["base"]), float(state["same"]), int(state["ranked"])
        levels, largest = unpacked(state["levels"]), unpacked(state["largest"])
        if not (math.isfinite(base) and math.isfinite(same) and -FIRST <= ranked < HORIZON):
            raise ValueError("figures out of range")
        self._base, self._same, self._ranked = base, same, ranked
        self._levels = singles(sorted(levels)[:LEVELS])
        self._largest = singles(sorted(largest)[-FARTHEST:])

    def _rank(self, distance: float) -> float:
        """log10 of (ranked) / (those at least as large, this one with them), and beyond all of them the tail, once
        there are enough to know it; 0 below all that are kept."""
        largest = self._largest
        place = bisect_left(largest, distance * (1.0 - _ROUNDING))
        kept = len(largest)
        self.farthest = largest[-1] if kept else 0.0
        rarity = 0.0
        if place or self._ranked <= FARTHEST:
            rarity = math.log10(self._ranked / (kept - place + 1))
            if distance > self.farthest and self._ranked > FIRST:
                rarity += tail(distance, self.farthest)
            largest.insert(place, distance)
            if kept == FARTHEST:
                largest.pop(0)
        if self._ranked >= HORIZON - 1:
            self._ranked //= 2
            self._largest = largest[1 - len(largest) % 2 :: 2]
        return rarity

    def _merge(self) -> None:
        """Let the two nearest levels be one; nothing as near to a level as they were makes a new one from now on."""
        levels = self._levels
        gaps = list(map(sub, levels[1:], levels))
        least = min(gaps)
        self._same = max(self._same, least)
        levels.pop(gaps.index(least))
