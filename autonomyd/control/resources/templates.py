"""`/v1/templates`: what the logs of a service ordinarily say, and what of it is unusual now."""

from autonomyd.control.resource import ApiProblem, Call, Route
from autonomyd.model.templates import LogTemplates


async def templates(call: Call) -> tuple[LogTemplates, ...]:
    name = call.path("service")
    service = call.system.parts.keeper.services.get(name)
    if service is None:
        raise ApiProblem(404, f"there is no service {name!r}", "`autonomyctl services` lists them")
    found = await call.system.parts.insight.logs.templates(name)
    if not found and not call.system.settings.logs.learn:
        raise ApiProblem(404, "nothing is learned from logs", "set `learn = true` in [logs]")
    return found


ROUTES = (
    Route(
        method="GET",
        path="/v1/templates/{service}",
        handler=templates,
        summary="The templates of a service's logs with their counts, secrets masked; new and surging ones are marked",
        answer=tuple[LogTemplates, ...],
    ),
)
