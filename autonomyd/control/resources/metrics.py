"""`/v1/metrics`: the series of the ring buffer, and one series with its samples."""

import math
from typing import Any

from autonomyd.control.resource import ApiProblem, Call, Route
from autonomyd.monitor.ring import SeriesView


async def series(call: Call) -> dict[str, Any]:
    metrics = call.system.parts.monitoring.metrics
    views = [metrics.view(subject, metric) for subject, metric in metrics.names()]
    return {"series": [_summary(view) for view in views if view is not None]}


async def one(call: Call) -> dict[str, Any]:
    name = call.path("name")
    view = call.system.parts.monitoring.metrics.by_name(name)
    if view is None:
        raise ApiProblem(404, f"there is no metric {name!r}", "`autonomyctl metrics` lists them")
    clock = call.system.clock
    now = clock.monotonic()
    since = now - call.number("since_s", 1e9)
    offset = clock.wall() - now
    points = [(at, value) for at, value in zip(view.at, view.values, strict=True) if at >= since]
    return {
        "name": view.name,
        "unit": view.unit,
        "at": [at + offset for at, _ in points],
        "values": [value for _, value in points],
    }


def _summary(view: SeriesView) -> dict[str, Any]:
    known = [value for value in view.values if not math.isnan(value)]
    return {
        "name": view.name,
        "subject": view.subject,
        "metric": view.metric,
        "unit": view.unit,
        "last": view.values[-1] if len(view.values) else None,
        "min": min(known, default=None),
        "max": max(known, default=None),
        "count": len(known),
    }


ROUTES = (
    Route(method="GET", path="/v1/metrics", handler=series, summary="All series with their newest value"),
    Route(
        method="GET",
        path="/v1/metrics/{name:path}",
        handler=one,
        summary="The samples of one series, `host/cpu.percent`",
        query={"since_s": "number"},
    ),
)
