"""The messages, for tired people: what is broken and since when, what was seen and tried, why nothing more is done, and
what to do, with the exact command. Secrets are masked."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence

from autonomyd.model.alert import Alert, Incident, Message, NoticeKind
from autonomyd.model.fix import Fix, Outcome
from autonomyd.model.issue import Issue, IssueState
from autonomyd.model.secrets import masked
from autonomyd.model.words import counted, duration

MOST_SEEN = 6
MOST_TRIED = 5
MOST_SUMMED = 30
TITLE_CHARS = 160
BODY_CHARS = 8000
"""What the shortest of the common channels takes, and more than anybody reads."""

_LEAD = {
    NoticeKind.OPENED: "",
    NoticeKind.REOPENED: "Again: ",
    NoticeKind.UPDATED: "Changed: ",
    NoticeKind.REMINDER: "Still: ",
    NoticeKind.ESCALATION: "Nobody answered: ",
    NoticeKind.RECOVERED: "Over: ",
}


def title(machine: str, kind: NoticeKind, alert: Alert) -> str:
    """One line; the same words in the whole conversation, after what this message is about."""
    return _cut(masked(f"[{machine}] {_LEAD.get(kind, '')}{alert.summary} (alert {alert.id})"), TITLE_CHARS)


def body(kind: NoticeKind, alert: Alert, incident: Incident | None, fixes: Sequence[Fix], *, now: float) -> str:
    """The text. `fixes` are those of its issues, oldest first; `incident` is None when it is over."""
    if kind is NoticeKind.RECOVERED or incident is None:
        return _text(_over(alert, fixes, now))
    need = incident.need
    parts = [
        f"{incident.summary} ({incident.subject}, {incident.severity}).",
        f"Since {moment(incident.since)}, for {duration(max(1.0, now - incident.since))}."
        + (f" It came back {alert.times - 1} times." if alert.times > 2 else ""),
    ]
    if kind is NoticeKind.ESCALATION:
        parts.append(f"Nobody has acknowledged it since {moment(alert.opened_at)}, so you are told too.")
    seen = [line for line in incident.seen if line != incident.summary]
    parts += _listed("Seen", seen, MOST_SEEN)
    parts += _listed("Tried", _tried(fixes), MOST_TRIED) or ["Tried: nothing yet."]
    if need is not None:
        parts.append(f"Why nothing more is done: {need.why}.")
        parts += ["What to do:", *(f"  {line}" for line in need.advice)]
    parts.append(f"  no more reminders while you work on it: `autonomyctl ack {alert.id} --for 2h`")
    parts.append(_about(alert))
    return _text(parts)


def summed(machine: str, messages: Sequence[Message]) -> tuple[str, str]:
    """Title and text of many messages as one."""
    lines = [f"{moment(each.created_at)} {each.title.removeprefix(f'[{machine}] ')}" for each in messages]
    more = len(lines) - MOST_SUMMED
    rest = [f"and {counted(more, 'more message')}"] if more > 0 else []
    head = f"There was so much to tell that these {counted(len(messages), 'message')} come as one:"
    advice = ["What to do:", "  see all that is open: `autonomyctl alerts`"]
    return (
        _cut(f"[{machine}] {counted(len(messages), 'message')} at once", TITLE_CHARS),
        _text([head, *(f"  {line}" for line in (*lines[:MOST_SUMMED], *rest)), *advice]),
    )


def digest(
    issues: Sequence[Issue], fixes: Sequence[Fix], *, open_alerts: Sequence[Alert], since: float, now: float
) -> str:
    """What was found and mended without anybody between `since` and `now`; "" when nothing was."""
    over = [each for each in issues if each.state is IssueState.RESOLVED and since < (each.resolved_at or 0.0) <= now]
    done = [fix for fix in fixes if since < (fix.ended_at or 0.0) <= now and fix.outcome is not None]
    if not over and not done:
        return ""
    healed = sum(1 for fix in done if fix.outcome is Outcome.HEALED)
    came = f"{counted(len(over), 'problem')} came and went"
    parts = [f"From {moment(since)} to {moment(now)}: {came}, {healed} of {counted(len(done), 'fix', 'fixes')} healed."]
    parts += _listed(
        "Done", _counts(f"{fix.plan.service or 'host'}: {fix.plan.strategy}, {fix.outcome}" for fix in done)
    )
    parts += _listed(
        "Problems that are over", _counts(f"{each.subject}: {each.type.replace('_', ' ')}" for each in over)
    )
    if open_alerts:
        parts += _listed("Still open, and for you", [f"alert {each.id}: {each.summary}" for each in open_alerts])
    parts.append("Details: `autonomyctl fixes`, `autonomyctl issues --all`")
    return _text(parts)


def moment(at: float) -> str:
    """Local date and time of epoch seconds."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def _over(alert: Alert, fixes: Sequence[Fix], now: float) -> list[str]:
    parts = [
        f"{alert.summary} ({alert.subject}): this is over.",
        f"It was open from {moment(alert.opened_at)} to {moment(now)}, for {duration(now - alert.opened_at)}.",
    ]
    parts += _listed("Done", _tried(fixes), MOST_TRIED)
    return [*parts, "What to do: nothing.", _about(alert)]


def _about(alert: Alert) -> str:
    issues = ", ".join(f"#{each}" for each in alert.issues)
    return f"Alert {alert.id}" + (f", {'issue' if len(alert.issues) == 1 else 'issues'} {issues}." if issues else ".")


def _tried(fixes: Sequence[Fix]) -> list[str]:
    return [
        f"{moment(fix.started_at)} {'; '.join(fix.plan.preview) or fix.plan.strategy}: "
        f"{fix.outcome or fix.state}{f' ({fix.message})' if fix.message else ''}"
        for fix in fixes
    ]


def _listed(name: str, lines: Sequence[str], most: int = MOST_SUMMED) -> list[str]:
    """The newest `most` of `lines` under a heading; nothing when there are none."""
    if not lines:
        return []
    hidden = len(lines) - most
    return [f"{name}:", *([f"  ({hidden} earlier)"] if hidden > 0 else []), *(f"  {line}" for line in lines[-most:])]


def _counts(lines: Iterable[str]) -> list[str]:
    found = Counter(lines)
    return [f"{line} ({count} times)" if count > 1 else line for line, count in found.most_common()]


def _text(parts: Sequence[str]) -> str:
    return _cut(masked("\n".join(parts)), BODY_CHARS)


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else f"{text[: chars - 3]}..."
