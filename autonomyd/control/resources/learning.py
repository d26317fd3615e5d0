"""`/v1/outcomes`: everything that was learned from, one lesson each."""

from autonomyd.control.resource import Call, Route
from autonomyd.model.trust import Lesson

MOST = 100_000


async def outcomes(call: Call) -> list[Lesson]:
    records = call.system.parts.records
    limit = int(call.number("limit", 50, least=1, most=MOST))
    since = call.number("since", 0.0)
    found: list[Lesson] = await records.read(lambda: records.outcomes.recent(limit=limit, since=since), [])
    return found


ROUTES = (
    Route(
        method="GET",
        path="/v1/outcomes",
        handler=outcomes,
        summary="Newest first; since is epoch seconds",
        answer=list[Lesson],
        query={"limit": "integer", "since": "number"},
    ),
)
