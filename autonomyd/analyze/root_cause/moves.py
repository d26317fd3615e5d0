"""How far a series moved between two spans of time, in units of its own spread and of its own level.

The distance is that of the two distributions (Wasserstein-1, from a grid of quantiles), not of their extremes: a series
that always had spikes has not moved because it has one more. It is scaled by the robust spread of the span before, as
BARO's RobustScorer scales by the interquartile range (Pham, Ha, Zhang: BARO, FSE 2024), with floors for series that are
nearly constant: a share of the level, of the range, and of the level that the same metric has elsewhere."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import le, sub

from autonomyd.analyze.median import middle_of

MOST_POINTS = 200
"""A column is thinned to about this many points: quantiles need no more."""
GRID = 20
"""Quantiles that the two spans are compared at."""
FEWEST_BEFORE = 3
LEVEL_FLOOR = 0.01
"""Spread is taken to be at least this share of the level: less is rounding, or a memory that drifts by a page."""
RANGE_FLOOR = 0.1
RARE = 40
"""One value in so many, at each end, does not count for the range."""
ELSEWHERE_FLOOR = 0.1
"""The level of a series is taken to be at least this share of what the same metric has elsewhere."""
NEWS = 10.0
"""Spreads that a series moved which had been zero all the time, and everywhere."""
COUNTER_POINTS = 20
IQR_TO_SIGMA = 1.349
"""The interquartile range of a normal distribution in standard deviations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A series before and during: medians, and `up` and `down`, how far the distribution moved each way in `spread`s.
    `by` is the distance in the series' own unit, signed, and `level` what it is held against; `lasting` is the part
    of the distribution that moved by more than its spread, 0..1: of a short burst it is little. `looks`: known values
    during."""

    before: float
    during: float
    spread: float
    up: float
    down: float
    by: float
    level: float
    lasting: float
    looks: int

    @property
    def share(self) -> float:
        """The distance relative to the level, signed (0.5: half of it); infinite for what had been zero everywhere."""
        if self.level > 0.0:
            return self.by / self.level
        return math.copysign(math.inf, self.by) if self.by else 0.0


@dataclass(slots=True, kw_only=True)
class Spans:
    """The known values of a series before and during, sorted. `top` is what it would be if nothing failed, for a series
    that counts successes: it is held against what fails of it."""

    before: list[float]
    during: list[float]
    top: float | None = None

    @property
    def level(self) -> float:
        """How large its values were: the median, or the mean of what mostly was nothing."""
        mean = sum(self.before) / len(self.before)
        if self.top is not None:
            return abs(self.top - mean)
        return max(abs(middle_of(self.before)), abs(mean))

    @property
    def still(self) -> bool:
        """Whether it mostly had one value."""
        last = len(self.before) - 1
        return self.before[(3 * last + 2) // 4] == self.before[last // 4]

    @property
    def spread(self) -> float:
        """How far its values lay apart, as a standard deviation would say it; the rarest spikes are left out."""
        last = len(self.before) - 1
        rare = len(self.before) // RARE
        middle = (self.before[(3 * last + 2) // 4] - self.before[last // 4]) / IQR_TO_SIGMA
        return max(middle, RANGE_FLOOR * (self.before[last - rare] - self.before[rare]))


def spans_of(before: Sequence[float], during: Sequence[float], *, successes: bool = False) -> Spans | None:
    """The two spans of a column; None when one holds too little (3 known values before, 1 during). A counter is taken
    as its increments. NaN and infinities are gaps. `successes`: it is a share, or a percentage, of what went well."""
    step = max(len(before), len(during)) // MOST_POINTS
    old, new = _known(before, step), _known(during, step)
    if len(old) < FEWEST_BEFORE or not new:
        return None
    if _counts(old, new):
        old, new = _increments(old), _increments(new)
    old.sort()
    new.sort()
    most = max(old[-1], new[-1])
    top = (1.0 if most <= 1.0 else max(100.0, most)) if successes else None
    return Spans(before=old, during=new, top=top)


def move_of(spans: Spans, *, usual: float = 0.0, spreads: float = 0.0) -> Move | None:
    """How the series moved; None for what floats can't tell. `usual` and `spreads` are the level and spread that its
    metric has elsewhere: what is next to nothing beside that level is taken for nothing, and what has mostly been still
    (a burst now and then) is given that spread."""
    old, new = spans.before, spans.during
    last_old, last_new = len(old) - 1, len(new) - 1
    level = max(spans.level, ELSEWHERE_FLOOR * usual)
    spread = max(spans.spread, LEVEL_FLOOR * level)
    if spans.still:
        spread = max(spread, spreads)
    up = down = 0.0
    moved = 0
    for step in range(GRID):
        point = (step + 0.5) / GRID
        gap = new[int(point * last_new + 0.5)] - old[int(point * last_old + 0.5)]
        moved += abs(gap) > spread
        if gap > 0.0:
            up += gap
        else:
            down -= gap
    up, down = up / GRID, down / GRID
    if not math.isfinite(up + down) or not math.isfinite(spread):
        return None
    if spread <= 0.0:  # nothing but zeros before, here and elsewhere: any value at all is news, and its own measure
        spread = max(up, down) * GRID / (NEWS * moved) if moved else 1.0
    return Move(
        before=middle_of(old),
        during=middle_of(new),
        spread=spread,
        up=up / spread,
        down=down / spread,
        by=up if up >= down else -down,
        level=level,
        lasting=moved / GRID,
        looks=len(new),
    )


def _known(column: Sequence[float], step: int) -> list[float]:
    thinned = list(column[::step] if 1 < step <= len(column) // FEWEST_BEFORE else column)
    total = sum(thinned)
    if total - total == 0.0:
        return thinned
    return [value for value in thinned if value - value == 0.0]


def _counts(old: list[float], new: list[float]) -> bool:
    """Whether the column is a counter: it never falls, and mostly rises; one reset is forgiven while it lasts."""
    if len(old) < COUNTER_POINTS or old[0] < 0.0 or len(new) < 3 or not all(map(le, old, old[1:])):
        return False
    if len(set(old)) < len(old) // 2:
        return False
    rises: int = sum(map(le, new, new[1:]))
    return rises >= len(new) - 2


def _increments(column: list[float]) -> list[float]:
    return [step for step in map(sub, column[1:], column) if step >= 0.0] or [0.0]
