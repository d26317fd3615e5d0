"""`/v1/issues`: what is wrong, and the whole story of one issue."""

from typing import Any

from autonomyd.control.resource import ApiProblem, Call, Route
from autonomyd.engine.explain import Explanation, explain
from autonomyd.model.status import IssueStatus

RECENT = 100


async def issues(call: Call) -> list[Any]:
    status = await call.system.get_system_status()
    if not call.flag("all"):
        return list(status.issues)
    records = call.system.parts.records
    decided = {each.issue.id: each for each in status.issues}
    recent = await records.read(lambda: records.issues.recent(limit=RECENT), [])
    return [decided.get(issue.id) or IssueStatus(issue=issue, decision=issue.state.value) for issue in recent]


async def one(call: Call) -> Explanation:
    number = call.identifier("id")
    found = None if number is None else await explain(call.system.parts, number)
    if found is None:
        raise ApiProblem(404, f"there is no issue {call.named('id')!r}", "`autonomyctl issues --all` lists them")
    return found


ROUTES = (
    Route(
        method="GET",
        path="/v1/issues",
        handler=issues,
        summary="Open issues; with all=1 the newest 100",
        answer=list[IssueStatus],
        query={"all": "boolean"},
    ),
    Route(
        method="GET",
        path="/v1/issues/{id}",
        handler=one,
        summary="Why and why-not: every gate, transition and fix of one issue",
        answer=Explanation,
    ),
)
