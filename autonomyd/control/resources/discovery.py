"""`/v1/discover`: services that listen or run as units, proposed as TOML."""

from typing import Any

from autonomyd.control.discovery import Proposal, propose, write_proposals
from autonomyd.control.resource import ApiProblem, Call, Route


def _plain(found: Proposal) -> dict[str, Any]:
    return {
        "toml": found.toml,
        "services": [{"name": each.name, "kind": each.kind, "why": each.why} for each in found.services],
    }


async def discover(call: Call) -> dict[str, Any]:
    return _plain(await propose(call.system))


async def write(call: Call) -> dict[str, Any]:
    found = await propose(call.system)
    if not call.flag("write"):
        return _plain(found)
    try:
        file = write_proposals(found, call.system.config_file)
    except OSError as error:
        raise ApiProblem(
            409, f"the configuration can't be written: {error}", "run the daemon with --config FILE"
        ) from None
    return {"file": file, "added": [each.name for each in found.services]}


ROUTES = (
    Route(method="GET", path="/v1/discover", handler=discover, summary="Services that could be watched"),
    Route(
        method="POST",
        path="/v1/discover",
        handler=write,
        summary="With write=true, append the proposals (autonomy = observe) to the configuration file",
        body={"write": "boolean"},
    ),
)
