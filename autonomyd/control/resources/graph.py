"""`/v1/graph`: who needs whom."""

from autonomyd.control.resource import Call, Route
from autonomyd.model.graph import GraphReport


async def graph(call: Call) -> GraphReport:
    return call.system.parts.insight.graph.report()


ROUTES = (
    Route(
        method="GET",
        path="/v1/graph",
        handler=graph,
        summary="The services and who needs whom: declared, and as it was seen, with how it is known",
        answer=GraphReport,
    ),
)
