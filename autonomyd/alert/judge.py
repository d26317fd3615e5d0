"""The life of an alert: opened, told once for each reason, reminded of, escalated, recovered.

It compares what is wrong now with what was told before, so it comes to the same end whatever was missed meanwhile:
a restart, a lost event, a clock that was set."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autonomyd.model.alert import Alert, AlertState, Incident, Need, NoticeKind
from autonomyd.model.health import Severity

REOPEN_S = 3600.0
"""What comes back within this time after it recovered goes on in the same conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """`reminders_s` are the waits before each reminder, the last one repeated; none: no reminders. `escalate_after_s`
    is None when there is nobody to escalate to."""

    reminders_s: Sequence[float] = (3600.0, 14400.0, 86400.0)
    escalate_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is told, and the alert as it is afterwards (`id` 0: a new one, to be numbered). `kind` is None when only the
    alert changed."""

    kind: NoticeKind | None
    alert: Alert


def judge(previous: Alert | None, incident: Incident | None, *, now: float, manners: Manners) -> Notice | None:
    """What is to be told about one key at `now` (epoch seconds); None when nothing changes. `previous` is its newest
    alert, `incident` what is wrong with it now."""
    alert = previous if previous is not None and previous.state is AlertState.OPEN else None
    if incident is None:
        return None if alert is None else Notice(kind=NoticeKind.RECOVERED, alert=_recovered(alert, now))
    if incident.need is None:
        return None if alert is None else _silently(alert, _joined(alert, incident), now)
    if alert is not None:
        return _again(alert, incident, incident.need, now, manners)
    if previous is not None and 0 <= now - (previous.recovered_at or 0.0) < REOPEN_S:
        back = replace(previous, times=previous.times + 1, opened_at=now, reasons=(), recovered_at=None)
        return Notice(kind=NoticeKind.REOPENED, alert=_opened(back, incident, incident.need, now, manners))
    fresh = Alert(
        id=0,
        key=incident.key,
        subject=incident.subject,
        cause=incident.cause,
        severity=incident.severity,
        summary=incident.summary,
        state=AlertState.OPEN,
        opened_at=now,
        updated_at=now,
    )
    return Notice(kind=NoticeKind.OPENED, alert=_opened(fresh, incident, incident.need, now, manners))


def acknowledged(alert: Alert, *, by: str, for_s: float | None, now: float) -> Alert:
    """Somebody looks after it: no reminders and no escalation, for a time or until it is over."""
    until = None if for_s is None else now + for_s
    return replace(
        alert, acked_at=now, acked_by=by, acked_until=until, remind_at=until, escalate_at=None, updated_at=now
    )


def next_at(alert: Alert) -> float | None:
    """When the alert has to be looked at again even if nothing changes, epoch seconds."""
    return min((at for at in (alert.remind_at, alert.escalate_at) if at is not None), default=None)


def _opened(alert: Alert, incident: Incident, need: Need, now: float, manners: Manners) -> Alert:
    told = replace(
        _joined(alert, incident), state=AlertState.OPEN, reasons=(need.reason,), why=need.why, updated_at=now
    )
    return _unanswered(told, now, manners)


def _again(alert: Alert, incident: Incident, need: Need, now: float, manners: Manners) -> Notice | None:
    """It is open and a person is needed (still, or for another reason)."""
    joined = replace(_joined(alert, incident), why=need.why)
    acked = alert.acked_at is not None
    lapsed = acked and alert.acked_until is not None and now >= alert.acked_until
    worse = alert.severity is Severity.WARNING and incident.severity is Severity.CRITICAL
    news = worse or need.reason not in alert.reasons
    if news:
        joined = replace(joined, reasons=tuple(dict.fromkeys((*alert.reasons, need.reason))))
    if lapsed:
        joined = _unanswered(joined, now, manners)
    elif not acked and (news or _due(alert.remind_at, now)):
        joined = replace(joined, remind_at=_remind_at(alert.reminders, now, manners))
    if news:
        return Notice(kind=NoticeKind.UPDATED, alert=replace(joined, updated_at=now))
    if lapsed:
        return Notice(kind=NoticeKind.REMINDER, alert=replace(joined, updated_at=now))
    if _due(alert.escalate_at, now):
        return Notice(
            kind=NoticeKind.ESCALATION, alert=replace(joined, escalate_at=None, escalated_at=now, updated_at=now)
        )
    if not acked and _due(alert.remind_at, now):
        count = alert.reminders + 1
        told = replace(joined, reminders=count, remind_at=_remind_at(count, now, manners), updated_at=now)
        return Notice(kind=NoticeKind.REMINDER, alert=told)
    longest = max(manners.reminders_s, default=0.0)
    if not acked and joined.remind_at is not None and joined.remind_at > now + longest:
        joined = replace(joined, remind_at=now + longest)  # the clock was set back
    return _silently(alert, joined, now)


def _due(at: float | None, now: float) -> bool:
    return at is not None and now >= at


def _unanswered(alert: Alert, now: float, manners: Manners) -> Alert:
    """Nobody has acknowledged it: the waits begin."""
    return replace(
        alert,
        reminders=0,
        remind_at=_remind_at(0, now, manners),
        escalate_at=None if manners.escalate_after_s is None else now + manners.escalate_after_s,
        escalated_at=None,
        acked_at=None,
        acked_by="",
        acked_until=None,
    )


def _remind_at(count: int, now: float, manners: Manners) -> float | None:
    waits = manners.reminders_s
    return now + waits[min(count, len(waits) - 1)] if waits else None


def _joined(alert: Alert, incident: Incident) -> Alert:
    """The alert with what is known now; the numbers of its earlier issues stay."""
    return replace(
        alert,
        severity=incident.severity,
        summary=incident.summary,
        issues=tuple(sorted({*alert.issues, *incident.issues})),
    )


def _silently(before: Alert, after: Alert, now: float) -> Notice | None:
    return None if before == after else Notice(kind=None, alert=replace(after, updated_at=now))


def _recovered(alert: Alert, now: float) -> Alert:
    return replace(
        alert,
        state=AlertState.RECOVERED,
        recovered_at=now,
        updated_at=now,
        remind_at=None,
        escalate_at=None,
        acked_until=None,
    )
