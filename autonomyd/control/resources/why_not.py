"""`/v1/why-not`: every remedy held against the open issues, and why it is not the one."""

from dataclasses import replace

from autonomyd.control.resource import ApiProblem, Call, Route
from autonomyd.model.decision import WhyNot
from autonomyd.model.issue import Issue


async def every(call: Call) -> list[WhyNot]:
    strategy = _strategy(call)
    return [await _of(call, issue, strategy) for issue in call.system.parts.monitoring.book.open_issues()]


async def one(call: Call) -> WhyNot:
    strategy = _strategy(call)
    number = call.identifier("id")
    issue = None if number is None else call.system.parts.monitoring.book.get(number)
    if issue is None:
        raise ApiProblem(404, f"there is no open issue {call.named('id')!r}", "`autonomyctl issues` lists them")
    return await _of(call, issue, strategy)


def _strategy(call: Call) -> str:
    """The one that is asked about, "" for all. Raises ApiProblem(404) when it does not exist."""
    wanted = call.text("strategy")
    if wanted and wanted not in {each.name for each in call.system.parts.healing.strategies}:
        raise ApiProblem(404, f"there is no strategy {wanted!r}", "`autonomyctl playbooks` lists them")
    return wanted


async def _of(call: Call, issue: Issue, strategy: str) -> WhyNot:
    found = await call.system.parts.healing.why_not(issue)
    return replace(found, verdicts=tuple(each for each in found.verdicts if strategy in ("", each.strategy)))


_QUERY = {"strategy": "string"}
ROUTES = (
    Route(
        method="GET",
        path="/v1/why-not",
        handler=every,
        summary="For every open issue each remedy, and why it is not used now; strategy picks one",
        answer=list[WhyNot],
        query=_QUERY,
    ),
    Route(
        method="GET",
        path="/v1/why-not/{id}",
        handler=one,
        summary="The same for one open issue",
        answer=WhyNot,
        query=_QUERY,
    ),
)
