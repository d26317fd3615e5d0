"""The anomaly detector of one series: streaming, of constant memory, and told nothing of its range, pace or length.

Two views are kept of a series: its values, and what the hour of the day leaves of them. The one that counts is the
second while the hours explain most of the variance. How new a value is in that view, ranked among its own past, is the
score; after a surprise the series rests, for what is new mostly comes in company and is one surprise.
"""

import math
from collections.abc import Mapping
from typing import Any

from autonomyd.analyze.anomaly.novelty import FIRST
from autonomyd.analyze.anomaly.season import Season
from autonomyd.analyze.anomaly.view import View

HALF = 2.0
"""Decades (powers of ten against chance) at which the score is 0.5: one in a hundred. One in a thousand is 0.6, in a
million 0.75; 1 is never reached."""
SURPRISE = 0.535
"""A score from here on is a surprise: as new as one value in 200 was so far."""
REST_SHARE = 0.03
"""After a surprise the series rests for this share of the samples it has seen: its rhythm is learned with it ..."""
LEAST_REST = 50
MOST_REST = 300
LARGEST = 1e30
"""Beyond this nothing is a measurement, and squares would overflow."""
VERSION = 1


class AnomalyDetector:
    """Feed it in order of time. After each sample: `rarity` is in decades against chance, whether or not the series
    rests, `distance` (in the series' unit) how far it was from everything known, `farthest` the largest such distance
    before; `expected` and `spread` what is usual. `refused` counts samples that were not taken: not finite, or not
    later than the one before. `moved` counts how often a new level became the usual one."""

    __slots__ = ("_left", "_rest", "_season", "_values", "_view", "expected", "last", "moved", "refused", "seen")

    def __init__(self) -> None:
        self._season = Season()
        self._values = View()
        self._left = View()
        self._view = self._values
        self._rest = 0
        self.last = -math.inf
        self.seen = 0
        self.refused = 0
        self.moved = 0
        self.expected = 0.0

    @property
    def learning(self) -> bool:
        """Whether everything is still new."""
        return self.seen <= FIRST

    @property
    def rarity(self) -> float:
        return self._view.rarity

    @property
    def distance(self) -> float:
        return self._view.novelty.distance

    @property
    def farthest(self) -> float:
        return self._view.novelty.farthest

    @property
    def spread(self) -> float:
        return self._view.baseline.spread

    def observe(self, at: float, value: float) -> float:
        """The score of `value` at `at` (epoch seconds): 0..1, a surprise from SURPRISE on; 0 while the series rests."""
        if not (-LARGEST < value < LARGEST and self.last < at < LARGEST):
            self.refused += 1
            if -LARGEST < at < LARGEST:
                self.last = at  # a clock that was set back is followed from here
            return 0.0
        self.last = at
        self.seen += 1
        left = self._season.observe(at, value)
        self._values.observe(value)
        self._left.observe(left)
        view = self._view = self._left if self._season.seasonal else self._values
        self.expected = view.usual if view is self._values else value - left + view.usual
        if view.moved:
            self.moved += 1
        if self._rest:
            self._rest -= 1
            return 0.0
        score = view.rarity / (view.rarity + HALF)
        if score >= SURPRISE:
            self._rest = int(min(MOST_REST, max(LEAST_REST, REST_SHARE * self.seen)))
        return score

    def dump(self) -> dict[str, Any]:
        """What `load` takes, of JSON values: below 4 KB."""
        return {
            "version": VERSION,
            "seen": self.seen,
            "last": self.last,
            "rest": self._rest,
            "season": self._season.dump(),
            "values": self._values.dump(),
            "left": self._left.dump(),
        }


def load(state: Mapping[str, Any]) -> AnomalyDetector:
    """The detector that `dump` was asked for. Raises ValueError when `state` is not what a detector of this version
    gave."""
    try:
        if state["version"] != VERSION:
            raise ValueError(f"version {state['version']!r}, not {VERSION}")
        made = AnomalyDetector()
        made.seen, made.last, made._rest = int(state["seen"]), float(state["last"]), int(state["rest"])
        if not 0 <= made._rest <= MOST_REST or not made.last < LARGEST:
            raise ValueError("figures out of range")
        made._season.load(state["season"])
        made._values.load(state["values"])
        made._left.load(state["left"])
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"not the state of a detector: {error!r}") from error
    return made
