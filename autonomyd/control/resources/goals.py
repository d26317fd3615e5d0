"""`/v1/goals` and `/v1/optimization`."""

from autonomyd.control.resource import Call, Route
from autonomyd.model.status import GoalsStatus, OptimizationStatus


async def goals(call: Call) -> GoalsStatus:
    return (await call.system.get_system_status()).goals


async def optimization(call: Call) -> OptimizationStatus:
    return call.system.parts.optimization.status()


ROUTES = (
    Route(method="GET", path="/v1/goals", handler=goals, summary="Goals by state", answer=GoalsStatus),
    Route(
        method="GET",
        path="/v1/optimization",
        handler=optimization,
        summary="The daemon's own cost, and what it did about it",
        answer=OptimizationStatus,
    ),
)
