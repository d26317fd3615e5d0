"""`[alerts]`: who is told when a person is needed, how often, and when not."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from autonomyd.model.health import Severity
from autonomyd.settings.base import Seconds, Table

_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d"
_TARGET = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")


def _target_url(url: str) -> str:
    if not _TARGET.fullmatch(url):
        raise ValueError("expected an Apprise URL such as json://host/path or mailto://user:password@example.org")
    return url


def _web_url(url: str) -> str:
    if not re.fullmatch(r"https?://\S+", url):
        raise ValueError("expected an http:// or https:// URL")
    return url


TargetName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]
TargetUrl = Annotated[str, AfterValidator(_target_url)]
PingUrl = Annotated[str, AfterValidator(_web_url)]
TimeOfDay = Annotated[str, StringConstraints(pattern=rf"^(?:{_TIME})?$")]
Hours = Annotated[str, StringConstraints(pattern=rf"^(?:{_TIME}-{_TIME})?$")]


class AlertSettings(Table):
    """Who is told when a person is needed, how often, and when not. What heals by itself tells nobody: it is in the
    daily digest."""

    targets: dict[TargetName, TargetUrl] = Field(default_factory=dict)
    """Name to Apprise URL: who is told first. Needs the extra `alerts`."""
    escalation: dict[TargetName, TargetUrl] = Field(default_factory=dict)
    """Name to Apprise URL: who is told too when nobody acknowledges."""
    escalate_after_s: Seconds = 1800.0
    """How long an alert may stay without acknowledgement (`autonomyctl ack`)."""
    min_severity: Severity = Severity.WARNING
    """Least severity of the problem."""
    settle_s: Annotated[float, Field(ge=0)] = 10.0
    """What needs your decision is told after this time, so that what is over by then tells nobody. What was given up
    is told at once."""
    patience_s: Annotated[float, Field(ge=0)] = 120.0
    """A critical problem that nothing can be done about for another reason is told after this time."""
    reminders_s: tuple[Seconds, ...] = (3600.0, 14400.0, 86400.0)
    """Waits before the reminders while nobody acknowledges; the last one is repeated. Empty: no reminders."""
    max_per_minute: Annotated[int, Field(ge=1, le=600)] = 10
    """Messages to one target; the rest of a storm is summed up in the last of them."""
    quiet_hours: Hours = ""
    """Local time in which only critical alerts are sent, such as "22:00-07:00"; the others wait for its end."""
    health: Literal["off", "degraded", "critical"] = "critical"
    """Tell also when the machine as a whole is no better than this, while no alert of its own is open."""
    health_for_s: Seconds = 600.0
    """How long it must have been so."""
    digest_at: TimeOfDay = "07:00"
    """Local time of the daily digest of what healed by itself; "" sends none, and a day without news has none."""
    machine: Annotated[str, StringConstraints(max_length=64)] = ""
    """What this machine is called in messages; default: its host name."""
    ping_url: PingUrl | None = None
    """Asked every `ping_every_s` while all loops of the daemon are well: a dead-man switch elsewhere tells when it
    stops."""
    ping_every_s: Seconds = 60.0
    """Interval of the pings."""
