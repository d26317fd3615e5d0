"""One way to look at a series: how new each value is in it, and what is usual in it."""

from collections.abc import Mapping
from typing import Any

from autonomyd.analyze.anomaly.baseline import Baseline
from autonomyd.analyze.anomaly.novelty import Novelty


class View:
    """After each value: `rarity` is the decimal logarithm of 1/p, `usual` what was usual before it, `moved` whether
    another level is usual with it."""

    __slots__ = ("baseline", "moved", "novelty", "rarity", "usual")

    def __init__(self) -> None:
        self.novelty = Novelty()
        self.baseline = Baseline()
        self.rarity = 0.0
        self.usual = 0.0
        self.moved = False

    def observe(self, value: float) -> None:
        """Feed it in order of time."""
        self.usual = self.baseline.level
        self.moved = self.baseline.observe(value)
        self.rarity = self.novelty.observe(value)

    def dump(self) -> dict[str, Any]:
        """What `load` takes, of JSON values."""
        return {"novelty": self.novelty.dump(), "baseline": self.baseline.dump()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Raises KeyError, TypeError or ValueError when `state` is not what `dump` gave."""
        self.novelty.load(state["novelty"])
        self.baseline.load(state["baseline"])
