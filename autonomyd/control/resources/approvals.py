"""`/v1/approvals` and `/v1/consents`: what waits for a person, and a person's standing word."""

from collections.abc import Awaitable, Callable

from autonomyd.control.resource import ApiProblem, Call, Route
from autonomyd.engine.approvals import Answered, Judge, TooLate, UnknownApproval
from autonomyd.model.plan import Plan, Refusal
from autonomyd.model.trust import Approval, Consent

Answer = Callable[..., Awaitable[Answered]]
"""`ApprovalDesk.approve` or `ApprovalDesk.deny`."""
LIST = "`autonomyctl approvals` lists what waits"


async def approvals(call: Call) -> list[Approval]:
    desk, records = call.system.parts.approvals, call.system.parts.records
    desk.expire()
    if not call.flag("all"):
        return list(desk.open)
    found: list[Approval] = await records.read(records.approvals.recent, [])
    return found


async def approve(call: Call) -> Answered:
    return await _answered(call, call.system.parts.approvals.approve)


async def deny(call: Call) -> Answered:
    return await _answered(call, call.system.parts.approvals.deny)


async def always(call: Call) -> Answered:
    """Standing consent first: the plan itself is then approved like any other."""
    parts = call.system.parts
    try:
        consent = parts.approvals.consent_of(_number(call), actor=call.actor)
    except (UnknownApproval, TooLate) as error:
        raise _problem(error) from None
    parts.approvals.allow(consent)
    await parts.records.allowed(consent)
    return await approve(call)


async def consents(call: Call) -> list[Consent]:
    return list(call.system.parts.approvals.consents)


async def revoke(call: Call) -> list[Consent]:
    parts = call.system.parts
    try:
        ended = parts.approvals.revoke(call.text("service"), call.text("strategy"), actor=call.actor)
    except UnknownApproval as error:
        raise ApiProblem(404, str(error), "`autonomyctl trust` shows what is allowed") from None
    await parts.records.revoked(*ended)
    return list(ended)


async def _answered(call: Call, answer: Answer) -> Answered:
    """Carry a person's word out. Raises ApiProblem(404, 409)."""
    try:
        return await answer(
            _number(call), actor=call.actor, save=call.system.parts.records.answered, judge=_judge(call)
        )
    except (UnknownApproval, TooLate) as error:
        raise _problem(error) from None


def _judge(call: Call) -> Judge:
    async def judge(issue_id: int) -> Plan | Refusal | None:
        parts = call.system.parts
        issue = parts.monitoring.book.get(issue_id)
        return None if issue is None else await parts.healing.consider(issue)

    return judge


def _number(call: Call) -> int:
    """Raises ApiProblem(404): what is no number names no approval."""
    number = call.identifier("id")
    if number is None:
        raise ApiProblem(404, f"there is no approval {call.named('id')!r}", LIST)
    return number


def _problem(error: Exception) -> ApiProblem:
    return ApiProblem(404 if isinstance(error, UnknownApproval) else 409, str(error), LIST)


ROUTES = (
    Route(
        method="GET",
        path="/v1/approvals",
        handler=approvals,
        summary="What waits for a person; with all=1 the newest 50, decided ones too",
        answer=list[Approval],
        query={"all": "boolean"},
    ),
    Route(
        method="POST",
        path="/v1/approvals/{id}/approve",
        handler=approve,
        summary="Allow a plan once; everything is judged again",
        answer=Answered,
    ),
    Route(
        method="POST",
        path="/v1/approvals/{id}/deny",
        handler=deny,
        summary="Say no; the remedy is not taken for this problem",
        answer=Answered,
    ),
    Route(
        method="POST",
        path="/v1/approvals/{id}/always",
        handler=always,
        summary="Allow the remedy for this cause on this service for good",
        answer=Answered,
    ),
    Route(method="GET", path="/v1/consents", handler=consents, summary="Standing consents", answer=list[Consent]),
    Route(
        method="POST",
        path="/v1/consents/revoke",
        handler=revoke,
        summary="End the standing consent for a strategy on a service",
        answer=list[Consent],
        body={"service": "string", "strategy": "string"},
    ),
)
