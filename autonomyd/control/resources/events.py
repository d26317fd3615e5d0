"""`/v1/events`: the daemon's diary."""

from autonomyd.control.resource import Call, Route
from autonomyd.model.event import Event


async def events(call: Call) -> list[Event]:
    records = call.system.parts.records
    limit = int(call.number("limit", 100, least=1, most=5000))
    found: list[Event] = await records.read(lambda: records.events.recent(limit=limit), [])
    return found


ROUTES = (
    Route(
        method="GET",
        path="/v1/events",
        handler=events,
        summary="Newest first",
        answer=list[Event],
        query={"limit": "integer"},
    ),
)
