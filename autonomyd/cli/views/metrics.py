"""The list of metrics, and the chart of one."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import RenderableType

from autonomyd.cli.chart import Chart, draw
from autonomyd.cli.screen import FINE, OLD, TITLE, columns, line, row, stack, table, text, unicode_terminal
from autonomyd.cli.words import clean, count, duration, with_unit

HEIGHT = 10
_MARGIN = 12
_NARROWEST, _WIDEST = 20, 120


def metrics_view(series: Iterable[Mapping[str, Any]]) -> RenderableType:
    """Every series with its newest value and its range."""
    made = table("METRIC", "LAST", "MIN", "MAX", "SAMPLES", right=("LAST", "MIN", "MAX", "SAMPLES"), cut="METRIC")
    for each in sorted(series, key=lambda each: clean(each["name"])):
        unit = clean(each["unit"])
        low, high = (text(with_unit(each[key], unit), OLD) for key in ("min", "max"))
        row(made, text(each["name"]), text(with_unit(each["last"], unit), TITLE), low, high, text(each["count"], OLD))
    if not made.row_count:
        return text("Nothing was measured yet.")
    return stack([made, text(""), text("`autonomyctl metrics NAME` draws one.", OLD)])


def chart_view(answer: Mapping[str, Any], since_s: float) -> RenderableType:
    """The chart with its axes, and the figures below."""
    unit = clean(answer["unit"])
    pairs = zip(answer["at"], answer["values"], strict=False)
    points = [(float(at), float(value)) for at, value in pairs if value is not None]
    head = line((clean(answer["name"]), TITLE), (f"  in {unit}" if unit else "", OLD))
    if not points:
        return stack([head, text(f"no samples in the last {duration(since_s)}")])
    width = max(_NARROWEST, min(_WIDEST, columns() - _MARGIN))
    drawn = draw(points, width=width, height=HEIGHT, unit=unit, braille=unicode_terminal())
    values = [value for _, value in points]
    figures = [("min", min(values)), ("mean", sum(values) / len(values)), ("max", max(values)), ("last", values[-1])]
    legend = line((f"{'':{drawn.margin}}", ""))
    for name, value in figures:
        legend.append(f"{name} ", style=OLD).append(f"{with_unit(value, unit)}   ")
    legend.append(count(len(points), "sample"), style=OLD)
    return stack([head, *_rows(drawn), text(_times(drawn, width), OLD), text(""), legend])


def _rows(drawn: Chart) -> Iterable[RenderableType]:
    for label, cells in drawn.rows:
        made = line((label.rjust(drawn.margin - 2), OLD), (" ┤" if drawn.braille else " |", OLD), (cells, FINE))
        made.no_wrap = True
        yield made


def _times(drawn: Chart, width: int) -> str:
    """The line under the chart: when it begins, its middle, when it ends."""
    first, last = drawn.first_at, drawn.last_at
    shape = "%H:%M" if last - first > 300 else "%H:%M:%S"
    begin, middle, end = (time.strftime(shape, time.localtime(at)) for at in (first, (first + last) / 2, last))
    gap = width - len(begin) - len(middle) - len(end)
    left = " " * (gap // 2)
    return " " * drawn.margin + begin + left + middle + " " * (gap - len(left)) + end
