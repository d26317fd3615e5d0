"""`/v1/pause` and `/v1/resume`: automation stops, observation goes on."""

from autonomyd.control.resource import ApiProblem, Call, Route
from autonomyd.model.status import PauseStatus

LONGEST_S = 366 * 86400.0


async def pause(call: Call) -> PauseStatus:
    wanted = call.arguments.get("for_s")
    for_s = None if wanted is None else call.number("for_s", 0, least=0, most=LONGEST_S)
    if for_s == 0:
        raise ApiProblem(400, "for_s must be more than 0", "leave it out to pause until `autonomyctl resume`")
    return call.system.pause(for_s=for_s, reason=call.text("reason"), actor=call.actor)


async def resume(call: Call) -> PauseStatus:
    return call.system.resume(actor=call.actor)


ROUTES = (
    Route(
        method="POST",
        path="/v1/pause",
        handler=pause,
        summary="Stop acting, for a time or until resumed",
        answer=PauseStatus,
        body={"for_s": "number", "reason": "string"},
    ),
    Route(
        method="POST",
        path="/v1/resume",
        handler=resume,
        summary="Act again; also resets the budget of disruptive acts",
        answer=PauseStatus,
    ),
)
