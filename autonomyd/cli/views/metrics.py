"""The list of metrics, and the chart of one."""

import time
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from autonomyd.cli.chart import Chart, draw
from autonomyd.cli.screen import FINE, OLD, TITLE, columns, line, row, stack, table, text, unicode_terminal
from autonomyd.cli.words import DAY_S, clean, duration, with_unit
from autonomyd.cli.words import count as count_of

HEIGHT = 10
_MARGIN = 12
_NARROWEST, _WIDEST = 20, 120
_COLUMNS = ("at", "values", "low", "high", "count", "step_s")
_SHAPES = ((300 * DAY_S, "%d %b %Y"), (20 * DAY_S, "%d %b"), (DAY_S, "%d %b %H:%M"), (300, "%H:%M"), (-1, "%H:%M:%S"))
"""How times are written below a chart that spans more than so many seconds."""


def metrics_view(series: Iterable[Mapping[str, Any]]) -> RenderableType:
    """Every series with its newest value, its range, and how far back it is known."""
    figures = ("LAST", "MIN", "MAX", "SAMPLES", "GOES BACK")
    made = table("METRIC", *figures, right=figures, cut="METRIC")
    now = time.time()
    for each in sorted(series, key=lambda each: clean(each["name"])):
        unit = clean(each["unit"])
        low, high = (text(with_unit(each[key], unit), OLD) for key in ("min", "max"))
        since = each.get("since")
        back = text("-" if since is None else duration(max(0.0, now - since)), OLD)
        samples = text(each["count"] or "-", OLD)
        row(made, text(each["name"]), text(with_unit(each["last"], unit), TITLE), low, high, samples, back)
    if not made.row_count:
        return text("Nothing was measured yet.")
    words = "`autonomyctl metrics NAME --since 7d` draws one. MIN, MAX and SAMPLES are of what is in memory."
    return stack([made, text(""), text(words, OLD)])


def chart_points() -> int:
    """How many points a chart on this terminal can show."""
    return 2 * _width()


def chart_view(answer: Mapping[str, Any], since_s: float) -> RenderableType:
    """The chart with its axes, and the figures below."""
    unit = clean(answer["unit"])
    points = [point for point in zip(*(answer[key] for key in _COLUMNS), strict=True) if None not in point]
    head = line((clean(answer["name"]), TITLE), (f"  in {unit}" if unit else "", OLD))
    longest = max((step for *_, step in points), default=0)
    if longest:
        head.append(f"   dotted: lowest to highest of {duration(longest)}", style=OLD)
    if not points:
        return stack([head, text(f"no samples in the last {duration(since_s)}")])
    width = _width()
    drawn = draw(
        [(at, value) for at, value, *_ in points],
        width=width,
        height=HEIGHT,
        unit=unit,
        braille=unicode_terminal(),
        band=[(low, high) for _, _, low, high, *_ in points],
    )
    return stack([head, *_rows(drawn), text(_times(drawn, width), OLD), text(""), _legend(points, unit, drawn.margin)])


def _width() -> int:
    return max(_NARROWEST, min(_WIDEST, columns() - _MARGIN))


def _legend(points: list[tuple[Any, ...]], unit: str, margin: int) -> Text:
    """The figures of all points, how many samples they stand for, and how long a point is."""
    samples = sum(count for *_, count, _ in points)
    figures = [
        ("min", min(low for _, _, low, *_ in points)),
        ("mean", sum(value * count for _, value, _, _, count, _ in points) / samples),
        ("max", max(high for _, _, _, high, *_ in points)),
        ("last", points[-1][1]),
    ]
    made = line((f"{'':{margin}}", ""))
    for name, value in figures:
        made.append(f"{name} ", style=OLD).append(f"{with_unit(value, unit)}   ")
    made.append(count_of(samples, "sample"), style=OLD)
    return made


def _rows(drawn: Chart) -> Iterable[RenderableType]:
    for (label, cells), faint in zip(drawn.rows, drawn.faint, strict=True):
        made = line((label.rjust(drawn.margin - 2), OLD), (" ┤" if drawn.braille else " |", OLD))
        for behind, run in groupby(enumerate(cells), key=lambda each: each[0] in faint):
            made.append("".join(cell for _, cell in run), style=OLD if behind else FINE)
        made.no_wrap = True
        yield made


def _times(drawn: Chart, width: int) -> str:
    """The line under the chart: when it begins, its middle, when it ends."""
    first, last = drawn.first_at, drawn.last_at
    shape = next(shape for above, shape in _SHAPES if last - first > above)
    begin, middle, end = (time.strftime(shape, time.localtime(at)) for at in (first, (first + last) / 2, last))
    gap = width - len(begin) - len(middle) - len(end)
    left = " " * (gap // 2)
    return " " * drawn.margin + begin + left + middle + " " * (gap - len(left)) + end
