"""`/v1/alerts`: what people were told, what waits, who has acknowledged."""

from dataclasses import dataclass

from autonomyd.control.resource import ApiProblem, Call, Route
from autonomyd.model.alert import Alert, AlertsStatus, Delivered, Message

RECENT = 50
LONGEST_S = 366 * 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsAnswer:
    """`now` is the state; `recent` the newest alerts and `messages` the newest messages, both newest first."""

    now: AlertsStatus
    recent: tuple[Alert, ...]
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestAnswer:
    """`text` is empty when nothing healed by itself."""

    text: str


async def alerts(call: Call) -> AlertsAnswer:
    records = call.system.parts.records
    return AlertsAnswer(
        now=call.system.parts.alerting.status(),
        recent=tuple(await records.read(lambda: records.outbox.alerts(limit=RECENT), ())),
        messages=tuple(await records.read(lambda: records.outbox.messages(limit=RECENT), ())),
    )


async def acknowledge(call: Call) -> Alert:
    wanted = call.arguments.get("for_s")
    for_s = None if wanted is None else call.number("for_s", 0, least=0, most=LONGEST_S)
    if for_s == 0:
        raise ApiProblem(400, "for_s must be more than 0", "leave it out to acknowledge until it is over")
    number = call.identifier("id")
    alerting = call.system.parts.alerting
    found = None if number is None else await alerting.acknowledge(number, for_s=for_s, actor=call.actor)
    if found is None:
        raise ApiProblem(404, f"there is no open alert {call.named('id')!r}", "`autonomyctl alerts` lists them")
    return found


async def test(call: Call) -> list[Delivered]:
    found = await call.system.parts.alerting.test()
    if not found:
        raise ApiProblem(409, "no target is configured", "set [alerts] targets, then `autonomyctl reload`")
    return found


async def digest(call: Call) -> DigestAnswer:
    return DigestAnswer(text=await call.system.parts.alerting.digest())


ROUTES = (
    Route(
        method="GET",
        path="/v1/alerts",
        handler=alerts,
        summary="Open alerts, targets, the newest alerts and messages",
        answer=AlertsAnswer,
    ),
    Route(
        method="GET",
        path="/v1/alerts/digest",
        handler=digest,
        summary="What healed by itself since the last daily digest",
        answer=DigestAnswer,
    ),
    Route(
        method="POST",
        path="/v1/alerts/test",
        handler=test,
        summary="Send a test message to every target",
        answer=list[Delivered],
    ),
    Route(
        method="POST",
        path="/v1/alerts/{id}/ack",
        handler=acknowledge,
        summary="Somebody looks after it: no reminders and no escalation",
        answer=Alert,
        body={"for_s": "number"},
    ),
)
