"""`/v1/fixes`: what was done."""

from autonomyd.control.resource import Call, Route
from autonomyd.model.fix import Fix


async def fixes(call: Call) -> list[Fix]:
    records = call.system.parts.records
    limit = int(call.number("limit", 50, least=1, most=1000))
    found: list[Fix] = await records.read(lambda: records.fixes.recent(limit=limit), [])
    return found


ROUTES = (
    Route(
        method="GET",
        path="/v1/fixes",
        handler=fixes,
        summary="Newest first",
        answer=list[Fix],
        query={"limit": "integer"},
    ),
)
