"""Alerts: what needs a person, the conversation about it, and the messages that wait to be sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from autonomyd.model.health import Severity
from autonomyd.model.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Why a person is needed: `reason` is one word (a refusal's, or "made_worse", "store", ...), `why` says why nothing
    more is done by itself, `advice` what to do, one line each, with the exact command. It counts once it was so for
    `after_s` seconds."""

    reason: str
    why: str
    advice: tuple[str, ...] = ()
    after_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that is wrong now, under the key of its alert: one cause on one subject. `since` is epoch seconds,
    `issues` the numbers of its issues, `seen` the evidence in words. `need` is None while nobody is needed."""

    key: str
    subject: Subject
    cause: str
    severity: Severity
    summary: str
    since: float
    issues: tuple[int, ...] = ()
    seen: tuple[str, ...] = ()
    need: Need | None = None


class AlertState(StrEnum):
    OPEN = "open"
    RECOVERED = "recovered"


class NoticeKind(StrEnum):
    """What a message is about. `reopened`: it recovered lately and is back; `summary`: several messages as one."""

    OPENED = "opened"
    REOPENED = "reopened"
    UPDATED = "updated"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    RECOVERED = "recovered"
    DIGEST = "digest"
    SUMMARY = "summary"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One conversation with people about one incident. Times are epoch seconds. `reasons` were told already, each once;
    `times` counts how often it came back, `remind_at` and `escalate_at` are due while nobody has acknowledged it.
    `acked_until` is None for an acknowledgement that lasts until it is over."""

    id: int
    key: str
    subject: Subject
    cause: str
    severity: Severity
    summary: str
    state: AlertState
    opened_at: float
    updated_at: float
    issues: tuple[int, ...] = ()
    reasons: tuple[str, ...] = ()
    why: str = ""
    times: int = 1
    reminders: int = 0
    remind_at: float | None = None
    escalate_at: float | None = None
    escalated_at: float | None = None
    acked_at: float | None = None
    acked_by: str = ""
    acked_until: float | None = None
    recovered_at: float | None = None


class MessageState(StrEnum):
    """`dropped`: it was over before anybody needed to be told, or its target is no longer configured."""

    WAITING = "waiting"
    SENT = "sent"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one target (by its name). Times are epoch seconds; it is held until `due_at` (quiet hours)."""

    id: int
    alert_id: int | None
    kind: NoticeKind
    target: str
    severity: Severity
    title: str
    body: str
    created_at: float
    due_at: float
    state: MessageState = MessageState.WAITING
    attempts: int = 0
    error: str = ""
    ended_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetStatus:
    """A target without its secrets. `error` says why the newest attempt failed, "" after a good one; `next_try_in_s`
    is set while it waits for another."""

    name: str
    kind: str
    escalation: bool
    waiting: int
    held: int
    failures: int
    error: str = ""
    last_sent_at: float | None = None
    next_try_in_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PingStatus:
    """The dead-man ping. `error` says why the newest one failed, or why none is sent."""

    every_s: float
    last_at: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsStatus:
    """`open` alerts, oldest first; `waiting` messages are due and not sent, `held` ones wait for the end of the quiet
    hours."""

    open: tuple[Alert, ...] = ()
    waiting: int = 0
    held: int = 0
    targets: Mapping[str, TargetStatus] = field(default_factory=lambda: MappingProxyType({}))
    ping: PingStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What came of a test message to one target."""

    target: str
    ok: bool
    message: str
