"""Learned thresholds: the level that ordinary time stays below, from recorded points. Pure; it proposes, and a person
decides.

The level is a high quantile of ordinary time (without the recorded problems and what is around them) plus a margin of a
share of its distance from the median. Order statistics are robust: a few wild minutes move neither (Hyndman and Fan,
"Sample quantiles in statistical packages", 1996, definition 7). Then it is moved away from what is usual until it would
have alarmed seldom enough, and last held within what the metric can mean."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autonomyd.model.rollup import DAY_S, Point, coverage_s
from autonomyd.model.tuning import Advice, AdviceState
from autonomyd.model.words import duration

ENOUGH_S = 7.0 * DAY_S
"""A week: a threshold that has not seen a weekend and a Monday knows nothing of either."""
ENOUGH_SHARE = 0.7
"""Share of that week that must be recorded and ordinary."""
AROUND_S = 900.0
"""Time before and after a recorded problem that is not ordinary either."""
RARE = 0.995
MARGIN_SHARE = 0.25
MARGIN_LEVEL = 0.05
"""The margin is at least this share of the level itself: a still series must not alarm at its first step."""
MARGIN_PERCENT = 2.0
"""... and of a percentage at least so many points."""
MOST_A_MONTH = 2.0
MONTH_S = 30.0 * DAY_S
LAXEST_PERCENT = 95.0
"""A share of something that ends at 100 %: beyond this nothing is left to act with."""
LAXEST_LOW = 0.1
"""A share that is bad when low: no more than this part of the whole may be missing."""
TIGHTEST = 0.5
"""A level is never brought nearer to what is usual than to this share of the one in force: half as much CPU as is held
to be a problem is none, however unusual."""
SAME_SHARE = 0.05
"""A proposal that differs by less is none."""
STEPS = 6
NOTHING = 1e-300
"""Smaller numbers have no digits to round to."""

Span = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A threshold in force. `percent`: it is a share of 100; `for_s`: how long it must be held."""

    name: str
    enter: float
    clear: float
    percent: bool
    for_s: float = 0.0

    @property
    def above(self) -> bool:
        """Whether high values are the bad ones."""
        return self.clear < self.enter

    @property
    def whole(self) -> float | None:
        """What a share that is bad when low is a part of; None when no such end is known."""
        if self.percent:
            return 100.0
        return 1.0 if 0.0 <= self.enter <= 1.0 else None

    def bad(self, value: float) -> float:
        """How bad a value is: itself, or what is missing to the whole. Its own inverse."""
        return value if self.above else (self.whole or 0.0) - value


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordinary:
    """The ordinary time of one series: `usual` and `rare` values, in `ordinary_s` seconds of points over `span_s`."""

    name: str
    unit: str
    usual: float
    rare: float
    ordinary_s: float
    span_s: float

    @property
    def enough(self) -> bool:
        return self.span_s >= ENOUGH_S and self.ordinary_s >= ENOUGH_SHARE * ENOUGH_S


def ordinary_points(points: Iterable[Point], troubles: Iterable[Span]) -> list[Point]:
    """The points outside of every trouble (begin, end) and what is around it."""
    spans = sorted((begin - AROUND_S, end + AROUND_S) for begin, end in troubles)
    kept: list[Point] = []
    index = 0
    reach = -math.inf
    for point in points:
        while index < len(spans) and spans[index][0] < point.until:
            reach = max(reach, spans[index][1])
            index += 1
        if point.at >= reach:
            kept.append(point)
    return kept


def ordinary(points: Sequence[Point], level: Level, *, name: str, unit: str) -> Ordinary:
    """What `points` (in order of time, at least one, ordinary ones) say about a level. One that must be held for a
    minute or longer is compared with the mean of each point, else with its most extreme value."""
    if level.for_s >= 60.0:
        values = sorted(point.mean for point in points)
    else:
        values = sorted(point.high if level.above else point.low for point in points)
    return Ordinary(
        name=name,
        unit=unit,
        usual=quantile(values, 0.5),
        rare=quantile(values, RARE if level.above else 1.0 - RARE),
        ordinary_s=coverage_s(points),
        span_s=points[-1].until - points[0].at,
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The `share` quantile of values in order, at least one, with linear interpolation."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def ladder(level: Level, series: Sequence[Ordinary]) -> tuple[float, ...]:
    """The entering levels that come into question, the one in force first, then the nearest to what is usual and
    calmer ones after it. Empty when no series has enough history."""
    enough = _enough(level, series)
    if not enough:
        return ()
    nearest = _nearest(level, enough)
    steps = [_bounded(level, level.bad(nearest.rare) + _margin(level, nearest))]
    step = max(steps[0] * SAME_SHARE, 1.0 if level.percent and level.above else 0.0)
    for _ in range(STEPS):
        steps.append(_bounded(level, steps[-1] + step))
        step *= 2.0
    return (level.enter, *(_plain(level.bad(each)) for each in dict.fromkeys(steps)))


def advised(level: Level, series: Sequence[Ordinary], alarms: Mapping[float, float]) -> Advice:
    """What the series that `level` judges say about it. `alarms` tells for each rung of the ladder how often it would
    have been raised in a month of their ordinary time."""
    enough = _enough(level, series)
    if not enough:
        return _waits(level, series)
    rungs = ladder(level, series)[1:]
    enter = next((rung for rung in rungs if alarms[rung] <= MOST_A_MONTH), rungs[-1])
    was, becomes = level.bad(level.enter), level.bad(enter)
    same = abs(was - becomes) <= SAME_SHARE * max(was, becomes)
    nearest = _nearest(level, enough)
    return Advice(
        name=level.name,
        state=AdviceState.FITS if same else AdviceState.CHANGE,
        enter=level.enter,
        clear=level.clear,
        new_enter=None if same else enter,
        new_clear=None if same else moved_clear(level, enter),
        why=_why(nearest, level, nearer_was_noisy=enter != rungs[0], noisy=alarms[enter] > MOST_A_MONTH),
        unit=nearest.unit,
        series=tuple(each.name for each in enough),
        usual=nearest.usual,
        rare=nearest.rare,
        alarms=alarms[level.enter],
        new_alarms=None if same else alarms[enter],
    )


def moved_clear(level: Level, enter: float) -> float:
    """The clear level that belongs to another entering level: as far from it as now (for a percentage in points, else
    as a share of it), and always on the right side of it."""
    was, becomes = level.bad(level.enter), level.bad(enter)
    gap = was - level.bad(level.clear)
    if not (level.percent or was <= 0.0):
        gap *= becomes / was
    return _plain(level.bad(max(becomes - gap, becomes / 2.0) if becomes > 0.0 else becomes - gap))


def _enough(level: Level, series: Sequence[Ordinary]) -> list[Ordinary]:
    known = level.above or level.whole is not None
    return [each for each in series if each.enough] if known else []


def _nearest(level: Level, series: Sequence[Ordinary]) -> Ordinary:
    return max(series, key=lambda each: level.bad(each.rare))


def _margin(level: Level, found: Ordinary) -> float:
    least = MARGIN_PERCENT if level.percent and level.above else 0.0
    return max(MARGIN_SHARE * abs(found.rare - found.usual), MARGIN_LEVEL * abs(level.bad(found.rare)), least)


def _bounded(level: Level, bad: float) -> float:
    """Within what the metric can mean, and on a round figure away from what is usual."""
    was = level.bad(level.enter)
    laxest = math.inf
    if not level.above:
        laxest = LAXEST_LOW * (level.whole or math.inf)
    elif level.percent:
        laxest = LAXEST_PERCENT
    return min(max(_rounded(bad, whole=level.percent and level.above), TIGHTEST * was), max(laxest, was))


def _rounded(value: float, *, whole: bool) -> float:
    """Up to two digits, or to a whole number."""
    if not NOTHING < value < math.inf:
        return 0.0
    unit = 1.0 if whole and value >= 1.0 else 10.0 ** (math.floor(math.log10(value)) - 1)
    return _plain(math.ceil(round(value / unit, 9)) * unit)


def _plain(value: float) -> float:
    """Without the dust of decimal fractions."""
    return float(f"{value:.12g}")


def _waits(level: Level, series: Sequence[Ordinary]) -> Advice:
    longest = max(series, key=lambda each: each.ordinary_s, default=None)
    if not level.above and level.whole is None:
        why = "low values are bad here, and nothing tells how high they could be: a margin has no measure"
    elif longest is None:
        why = "nothing is recorded of what it judges"
    else:
        why = (
            f"{duration(ENOUGH_S)} are needed, {ENOUGH_SHARE * 100:.0f} % of them recorded and ordinary; "
            f"{longest.name} has {duration(longest.ordinary_s) if longest.ordinary_s else 'none'} "
            f"in {duration(longest.span_s)}"
        )
    return Advice(name=level.name, state=AdviceState.WAITS, enter=level.enter, clear=level.clear, why=why)


def _why(nearest: Ordinary, level: Level, *, nearer_was_noisy: bool, noisy: bool) -> str:
    unit = f" {nearest.unit}" if nearest.unit else ""
    side = "below" if level.above else "above"
    words = f"{nearest.name} is usually at {nearest.usual:.3g}{unit}, and {side} {nearest.rare:.3g}{unit} in 99.5 % of "
    words += f"{duration(nearest.ordinary_s)} of ordinary time"
    if noisy:
        return f"{words}; no level that means anything would have alarmed at most {MOST_A_MONTH:g} times a month"
    if nearer_was_noisy:
        return f"{words}; a nearer level would have alarmed more than {MOST_A_MONTH:g} times a month"
    return words
