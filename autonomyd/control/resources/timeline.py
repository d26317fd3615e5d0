"""`/v1/timeline`: changes, shifts of level, fixes and issues on one line of time."""

from autonomyd.control.resource import ApiProblem, Call, Route
from autonomyd.model.subject import HOST, Subject, service_subject
from autonomyd.model.timeline import Entry
from autonomyd.model.words import DAY_S

MOST_S = 366 * DAY_S


async def timeline(call: Call) -> list[Entry]:
    since_s = call.number("since_s", DAY_S, most=MOST_S)
    subject = subject_of(call)
    return list(
        await call.system.parts.insight.timeline.entries(since=call.system.clock.wall() - since_s, subject=subject)
    )


def subject_of(call: Call) -> Subject | None:
    """As people write it: the name of a service, or the subject itself."""
    name = call.text("subject")
    if not name:
        return None
    known = {subject for subject, _ in call.system.parts.monitoring.metrics.names()}
    services = call.system.parts.keeper.services
    if name in services:
        return service_subject(name)
    if name == HOST or name in known or name in {each.subject for each in services.values()}:
        return Subject(name)
    raise ApiProblem(404, f"there is no subject {name!r}", "`autonomyctl health` lists them")


ROUTES = (
    Route(
        method="GET",
        path="/v1/timeline",
        handler=timeline,
        summary="Oldest first; of a subject with the changes of what it needs and of the machine",
        answer=list[Entry],
        query={"subject": "string", "since_s": "number"},
    ),
)
