"""The five states of health, their order, and how many become one."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from autonomyd.model.subject import Subject


class HealthStatus(StrEnum):
    """`failing` is worse than `critical`: the subject is down and autonomyd could not, or may not, mend it."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    CRITICAL = "critical"
    FAILING = "failing"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How bad an issue is for the people who use the subject. `notice`: worth knowing, and nobody is worse off."""

    NOTICE = "notice"
    WARNING = "warning"
    CRITICAL = "critical"


class Trend(StrEnum):
    """Where a value, or health as a whole, went over the trend window (30 min)."""

    IMPROVING = "improving"
    STABLE = "stable"
    WORSENING = "worsening"
    UNKNOWN = "unknown"


_ORDER = (
    HealthStatus.HEALTHY,
    HealthStatus.DEGRADED,
    HealthStatus.CRITICAL,
    HealthStatus.FAILING,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectHealth:
    """The health of one subject, with the reason in words."""

    subject: Subject
    status: HealthStatus
    reason: str = ""


def worst(statuses: Iterable[HealthStatus]) -> HealthStatus:
    """The worst of the known ones; `unknown` only when nothing is known."""
    known = [status for status in statuses if status is not HealthStatus.UNKNOWN]
    return max(known, key=_ORDER.index, default=HealthStatus.UNKNOWN)
