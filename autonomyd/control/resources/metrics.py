"""`/v1/metrics`: every series with how far back it is known, and one series over any span."""

import math
from collections.abc import Mapping
from typing import Any

from autonomyd.control.resource import ApiProblem, Call, Route
from autonomyd.knowledge.rollups import Recorded
from autonomyd.model.rollup import thinned
from autonomyd.monitor.ring import SeriesView

MOST_POINTS = 12_000
"""More are not made into JSON at once: that would hold up the loops for longer than a check may take."""


async def series(call: Call) -> dict[str, Any]:
    metrics = call.system.parts.monitoring.metrics
    recorded = await call.system.parts.insight.workbench.series.recorded()
    offset = call.system.clock.wall() - call.system.clock.monotonic()
    views = [metrics.view(subject, metric) for subject, metric in metrics.names()]
    found = [_summary(view, recorded, offset) for view in views if view is not None]
    here = {each["name"] for each in found}
    return {"series": found + [_gone(each) for name, each in recorded.items() if name not in here]}


async def one(call: Call) -> dict[str, Any]:
    name = call.path("name")
    since = call.system.clock.wall() - call.number("since_s", 1e9)
    most = int(call.number("points", MOST_POINTS, least=1, most=MOST_POINTS))
    found = await call.system.parts.insight.workbench.series.read(name, since=since)
    if found is None:
        raise ApiProblem(404, f"there is no metric {name!r}", "`autonomyctl metrics` lists them")
    points = thinned(found.points, most)
    return {
        "name": found.name,
        "unit": found.unit,
        "at": [each.at for each in points],
        "values": [each.mean for each in points],
        "low": [each.low for each in points],
        "high": [each.high for each in points],
        "last": [each.last for each in points],
        "count": [each.samples for each in points],
        "step_s": [each.step_s for each in points],
    }


def _summary(view: SeriesView, recorded: Mapping[str, Recorded], offset: float) -> dict[str, Any]:
    known = [value for value in view.values if not math.isnan(value)]
    begin = [view.at[0] + offset] if len(view.at) else []
    if view.name in recorded:
        begin.append(recorded[view.name].since)
    return {
        "name": view.name,
        "subject": view.subject,
        "metric": view.metric,
        "unit": view.unit,
        "last": view.values[-1] if len(view.values) else None,
        "min": min(known, default=None),
        "max": max(known, default=None),
        "count": len(known),
        "since": min(begin, default=None),
        "until": view.at[-1] + offset if len(view.at) else None,
    }


def _gone(each: Recorded) -> dict[str, Any]:
    """A series that only its history is left of: what it belonged to is no longer watched."""
    subject, _, metric = each.name.rpartition("/")
    nothing = {"last": None, "min": None, "max": None, "count": 0}
    named = {"name": each.name, "subject": subject, "metric": metric, "unit": each.unit}
    return {**named, **nothing, "since": each.since, "until": each.until}


ROUTES = (
    Route(
        method="GET",
        path="/v1/metrics",
        handler=series,
        summary="All series with their newest value, and how far back each is known",
    ),
    Route(
        method="GET",
        path="/v1/metrics/{name:path}",
        handler=one,
        summary="One series, `host/cpu.percent`: samples, before them points of a minute, before those of an hour",
        query={"since_s": "number", "points": "integer"},
    ),
)
