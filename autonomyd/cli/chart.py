"""A line chart made of characters: braille dots (two by four in a cell) or, without UTF-8, stars. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from autonomyd.cli.words import with_unit

Point = tuple[float, float]
Range = tuple[float, float]
Dot = tuple[int, int]

_BRAILLE = 0x2800
# The bit of each dot of a braille cell: column, then row from the top.
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
GAP_FACTOR = 3.5
"""A hole longer than this many usual distances between samples is drawn as a hole."""


LARGEST, SMALLEST = 1e300, 1e-300
"""Beyond the one, values are drawn as if they were it: their differences would be infinite. What differs by less than
the other is drawn as one value: the steps between would be nothing."""
LEAST_SHARE = 0.02
"""The axis spans at least this share of its values: of a finer one the labels would all read the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """`rows` from the top: the label (or an empty one) and the cells. `faint` has for each row the columns that hold
    nothing but the band. `margin` is the width before the cells."""

    rows: tuple[tuple[str, str], ...]
    faint: tuple[frozenset[int], ...]
    margin: int
    first_at: float
    last_at: float
    braille: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """Where times and values are among the dots."""

    wide: int
    tall: int
    first_at: float
    span: float
    low: float
    high: float

    def x(self, at: float) -> int:
        return min(self.wide - 1, int((at - self.first_at) / self.span * (self.wide - 1) + 0.5))

    def y(self, value: float) -> int:
        return min(self.tall - 1, max(0, int((self.high - value) / (self.high - self.low) * (self.tall - 1) + 0.5)))


def draw(
    points: Sequence[Point], *, width: int, height: int, unit: str, braille: bool, band: Sequence[Range] = ()
) -> Chart:
    """The points (time, value; at least one, in order of time) on `width` by `height` cells. `band`, one (lowest,
    highest) a point, is drawn behind the line, as dots that leave most places free."""
    first_at, last_at = points[0][0], points[-1][0]
    points = [(at, _held(value)) for at, value in points]
    band = [(_held(lowest), _held(highest)) for lowest, highest in band]
    ends = [value for pair in band for value in pair] or [value for _, value in points]
    low, high, step = scale(ends, percent=unit == "%")
    across, down = (2, 4) if braille else (1, 1)
    span = (last_at - first_at) or 1.0
    field = _Field(wide=width * across, tall=height * down, first_at=first_at, span=span, low=low, high=high)
    line = _line(points, field)
    cells_taken = {(x // across, y // down) for x, y in line}
    behind = {(x, y) for x, y in _band(points, band, field) if (x // across, y // down) not in cells_taken}
    labels = _labels(low, high, step, height, unit)
    cells = _braille_rows(line | behind, width, height) if braille else _star_rows(line, behind, width, height)
    return Chart(
        rows=tuple((labels.get(index, ""), cells[index]) for index in range(height)),
        faint=tuple(frozenset(x // across for x, y in behind if y // down == index) for index in range(height)),
        margin=max(len(label) for label in labels.values()) + 2,
        first_at=first_at,
        last_at=last_at,
        braille=braille,
    )


def scale(values: Sequence[float], *, percent: bool = False) -> tuple[float, float, float]:
    """The lower and upper end of the axis and the step of its labels: round figures around all values; from zero
    when that wastes less than half of the chart."""
    low, high = min(values), max(values)
    if 0 <= low <= high / 2 or low == high >= 0:
        low = 0.0
    if high - low < SMALLEST:
        high = low + 1.0
    low = min(low, high - LEAST_SHARE * max(abs(low), abs(high)))
    step = _round_step((high - low) / 4)
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    return low, min(high, 100.0) if percent and max(values) <= 100.0 else high, step


def _held(value: float) -> float:
    return min(LARGEST, max(-LARGEST, value))


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= raw * 0.999999)


def _usual_distance(points: Sequence[Point]) -> float:
    distances = sorted(after[0] - before[0] for before, after in pairwise(points))
    return distances[len(distances) // 2] if distances else 0.0


def _line(points: Sequence[Point], field: _Field) -> set[Dot]:
    dots: set[Dot] = set()
    gap = GAP_FACTOR * _usual_distance(points)
    before: Dot | None = None
    before_at = field.first_at
    for at, value in points:
        dot = (field.x(at), field.y(value))
        dots.update([dot] if before is None or at - before_at > gap else _joined(before, dot))
        before, before_at = dot, at
    return dots


def _band(points: Sequence[Point], band: Sequence[Range], field: _Field) -> set[Dot]:
    return {
        (x, y)
        for (at, _), (lowest, highest) in zip(points, band, strict=False)
        for x in (field.x(at),)
        for y in range(field.y(highest), field.y(lowest) + 1)
        if lowest < highest and (x + 2 * y) % 4 == 0
    }


def _joined(start: Dot, end: Dot) -> list[Dot]:
    """The dots of a straight line between two dots."""
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    across, down = (end[0] - start[0]) / steps, (end[1] - start[1]) / steps
    return [(round(start[0] + across * index), round(start[1] + down * index)) for index in range(steps + 1)]


def _labels(low: float, high: float, step: float, height: int, unit: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for index in range(round((high - low) / step) + 1):
        value = high - index * step
        found.setdefault(round((high - value) / (high - low) * (height - 1)), with_unit(value, unit))
    return found


def _braille_rows(dots: set[Dot], width: int, height: int) -> list[str]:
    cells = [[0] * width for _ in range(height)]
    for x, y in dots:
        cells[y // 4][x // 2] |= _DOTS[x % 2][y % 4]
    return ["".join(chr(_BRAILLE + bits) if bits else " " for bits in row) for row in cells]


def _star_rows(dots: set[Dot], behind: set[Dot], width: int, height: int) -> list[str]:
    signs = dict.fromkeys(behind, ".") | dict.fromkeys(dots, "*")
    return ["".join(signs.get((x, y), " ") for x in range(width)) for y in range(height)]
