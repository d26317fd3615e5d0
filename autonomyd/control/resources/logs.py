"""`/v1/logs`: the last lines of a service's log, or the daemon's diary."""

from typing import Any

from autonomyd.aio.offload import in_thread
from autonomyd.control.resource import ApiProblem, Call, Route
from autonomyd.engine.explain import event_line
from autonomyd.host.files import tail_lines

MAX_LINES = 5000


async def logs(call: Call) -> dict[str, Any]:
    lines = int(call.number("lines", 50, least=1, most=MAX_LINES))
    name = call.text("service")
    if not name:
        records = call.system.parts.records
        found = await records.read(lambda: records.events.recent(limit=lines), [])
        return {"lines": [event_line(event) for event in reversed(found)], "source": "autonomyd's diary"}
    service = call.system.parts.keeper.services.get(name)
    if service is None:
        raise ApiProblem(404, f"there is no service {name!r}", "`autonomyctl services` lists them")
    from autonomyd.engine.insight.log_sources import log_file_of  # only where a log is asked for

    file = log_file_of(service, call.system.state_dir)
    if file is None:
        raise ApiProblem(404, f"{name} has no log file that is known", f'add logs = ["/path"] to [services.{name}]')
    try:
        return {"lines": list(await in_thread(lambda: tail_lines(file, lines))), "source": file}
    except OSError as error:
        raise ApiProblem(404, f"{file} can't be read: {error.strerror}") from None


ROUTES = (
    Route(
        method="GET",
        path="/v1/logs",
        handler=logs,
        summary="The last lines of a service's log, secrets masked; without a service the daemon's diary",
        query={"service": "string", "lines": "integer"},
    ),
)
