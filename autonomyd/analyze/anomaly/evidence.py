"""What the surprises of one subject's metrics say together: chance, or other behaviour.

A surprise alone proves little: every series has one now and then, and bursts and random walks have them in a row. What
tells is a value far beyond everything seen that stays away from what is usual, or several that do at the same time.
"""

from dataclasses import dataclass

from autonomyd.analyze.anomaly.novelty import tail

STRONG = 3.0
"""Decades (powers of ten against chance) from which a metric contributes at all."""
ENOUGH = 5.0
"""... and that at least one must have that stays away for LEAST_S."""
LASTS_S = 600.0
"""Seconds that the metrics must have been away from what is usual, summed over them, of one at most this: three metrics
for 200 s each are as telling as one for 600 s. Below ENOUGH a metric counts in part, at STRONG not at all."""
LEAST_S = 120.0
"""Seconds that the one with ENOUGH must have been away, however many others there are: a burst is over by then."""
FADES_S = 300.0
"""A metric that was usual again for this long contributes no more."""


def strength(rarity: float, distance: float, farthest: float, least: float) -> float:
    """Decades against chance of a value that is `distance` from all known ones, the `farthest` before it: its `rarity`,
    in which distances below `least` (same unit), that matter to nobody, are no measure. Below `least` it is 0."""
    if distance < least:
        return 0.0
    if distance <= farthest or farthest >= least:
        return rarity
    return rarity - tail(distance, farthest) + tail(distance, least)


@dataclass(slots=True, kw_only=True)
class Contributor:
    """One metric that behaves otherwise since `since` (epoch seconds): its strongest `value` against what was
    `expected` give or take `spread`, and for how long (`away_s`) it was not usual until `seen`; `usual` says whether
    the newest look, at `looked`, found it so."""

    metric: str
    unit: str
    since: float
    seen: float
    looked: float
    value: float
    expected: float
    spread: float
    strength: float
    away_s: float = 0.0
    usual: bool = False


class Evidence:
    """The metrics of one subject that behave otherwise now. Bounded by the number of its metrics."""

    __slots__ = ("_metrics",)

    def __init__(self) -> None:
        self._metrics: dict[str, Contributor] = {}

    def __bool__(self) -> bool:
        return bool(self._metrics)

    def surprised(self, found: Contributor) -> None:
        """A value of at least STRONG was seen."""
        known = self._metrics.get(found.metric)
        if known is None:
            self._metrics[found.metric] = found
        elif found.strength > known.strength:
            known.value, known.strength = found.value, found.strength
            known.expected, known.spread = found.expected, found.spread

    def looked(self, metric: str, at: float, away: bool) -> None:
        """A sample of `metric` at `at` (epoch seconds), and whether it is away from what is usual."""
        known = self._metrics.get(metric)
        if known is None:
            return
        before, known.looked = known.looked, at
        was, known.usual = known.usual, not away
        if away and not was:  # a strange sample among usual ones neither counts nor keeps the metric here
            known.seen = at
            known.away_s += max(0.0, min(at - before, FADES_S))
        elif at - known.seen > FADES_S or at < known.since:
            del self._metrics[metric]

    def silent(self, metric: str) -> None:
        """Nothing more comes of `metric`."""
        self._metrics.pop(metric, None)

    def ranked(self) -> tuple[Contributor, ...]:
        """The strongest first."""
        return tuple(sorted(self._metrics.values(), key=lambda each: (-each.strength, each.metric)))

    @property
    def telling(self) -> bool:
        """Whether this is far beyond chance."""
        found = self._metrics.values()
        stays = any(each.strength >= ENOUGH and each.away_s >= LEAST_S for each in found)
        return stays and sum(_weight(each) * min(each.away_s, LASTS_S) for each in found) >= LASTS_S


def _weight(each: Contributor) -> float:
    """0 at STRONG to 1 from ENOUGH on."""
    return min(1.0, (each.strength - STRONG) / (ENOUGH - STRONG))
