"""`/v1/services`: what runs, and a person's start, stop and restart."""

import difflib
from collections.abc import Mapping
from typing import Any

from autonomyd.control.resource import ApiProblem, Call, Route
from autonomyd.engine.requests import UnknownServiceError
from autonomyd.model.fix import Fix, Outcome
from autonomyd.model.status import ServiceStatus


async def services(call: Call) -> Mapping[str, ServiceStatus]:
    return (await call.system.get_system_status()).services


async def operate(call: Call) -> dict[str, Any]:
    name, verb = call.path("name"), call.path("verb")
    try:
        fix = await call.system.requests.carry_out(verb, name, actor=call.actor)
    except UnknownServiceError:
        known = tuple(call.system.parts.keeper.services)
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"configured are: {', '.join(known) or 'none'}"
        raise ApiProblem(404, f"there is no service {name!r}", hint) from None
    except ValueError as error:
        raise ApiProblem(400, str(error)) from None
    if isinstance(fix, str):
        return {"fix": None, "message": fix}
    if fix.outcome is not Outcome.HEALED and fix.outcome is not Outcome.UNVERIFIED:
        raise ApiProblem(409, f"{verb} {name}: {fix.message}", f"`autonomyctl logs {name}` shows what it said")
    return {"fix": fix, "message": fix.message}


ROUTES = (
    Route(
        method="GET",
        path="/v1/services",
        handler=services,
        summary="Every service by name",
        answer=dict[str, ServiceStatus],
    ),
    Route(
        method="POST",
        path="/v1/services/{name}/{verb}",
        handler=operate,
        summary="start, stop or restart; stopping is intent and is not healed",
        answer=Fix,
    ),
)
