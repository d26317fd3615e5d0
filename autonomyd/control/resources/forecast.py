"""`/v1/forecast`: when what is bounded will be full."""

from autonomyd.control.resource import Call, Route
from autonomyd.model.forecast import CapacityReport


async def forecast(call: Call) -> CapacityReport:
    return call.system.parts.insight.foresight.report()


ROUTES = (
    Route(
        method="GET",
        path="/v1/forecast",
        handler=forecast,
        summary="Every bounded series: when its bound is reached, by what it did so far, soonest first",
        answer=CapacityReport,
    ),
)
