"""`/v1/status` and `/v1/health`."""

from autonomyd.control.resource import Call, Route
from autonomyd.model.status import HealthReport, SystemStatus


async def status(call: Call) -> SystemStatus:
    return await call.system.get_system_status()


async def health(call: Call) -> HealthReport:
    return call.system.parts.monitoring.report()


ROUTES = (
    Route(method="GET", path="/v1/status", handler=status, summary="Everything in one value", answer=SystemStatus),
    Route(
        method="GET", path="/v1/health", handler=health, summary="Health per subject and overall", answer=HealthReport
    ),
)
