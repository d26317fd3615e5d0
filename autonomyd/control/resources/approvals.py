"""`/v1/approvals` and `/v1/consents`: what waits for a person, and a person's standing word."""

from autonomyd.control.resource import ApiProblem, Call, Route
from autonomyd.engine.approvals import Answered, Judge, TooLate, UnknownApproval
from autonomyd.model.plan import Plan, Refusal
from autonomyd.model.trust import Approval, Consent

LIST = "`autonomyctl approvals` lists what waits"


async def approvals(call: Call) -> list[Approval]:
    desk, records = call.system.parts.approvals, call.system.parts.records
    desk.expire()
    if not call.flag("all"):
        return list(desk.open)
    found: list[Approval] = await records.read(records.approvals.recent, [])
    return found


async def approve(call: Call) -> Answered:
    parts = call.system.parts
    try:
        return await parts.approvals.approve(
            _number(call), actor=call.actor, save=parts.records.answered, judge=_judge(call)
        )
    except (UnknownApproval, TooLate) as error:
        raise _problem(error) from None


async def deny(call: Call) -> Answered:
    parts = call.system.parts
    try:
        return await parts.approvals.deny(
            _number(call), actor=call.actor, save=parts.records.answered, judge=_judge(call)
        )
    except (UnknownApproval, TooLate) as error:
        raise _problem(error) from None


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


def _judge(call: Call) -> Judge:
    async def judge(issue_id: int) -> Plan | Refusal | None:
        parts = call.system.parts
        issue = parts.monitoring.book.get(issue_id)
        return None if issue is None else await parts.healing.consider(issue)

    return judge


def _number(call: Call) -> int:
    """Raises ApiProblem(404): what is no number names no approval."""
    text = call.path("id").lstrip("#")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise ApiProblem(404, f"there is no approval {text!r}", LIST)
    return int(text)


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
