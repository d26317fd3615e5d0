"""Findings (a detector's claim) and Issues (the deduplicated, stateful problem of one type on one subject)."""

from dataclasses import dataclass
from enum import StrEnum

from autonomyd.model.health import Severity
from autonomyd.model.subject import Subject


class IssueType(StrEnum):
    """What kind of problem it is. Strategies are chosen by the diagnosed cause, custom ones by this type."""

    SERVICE_DOWN = "service_down"
    SERVICE_UNHEALTHY = "service_unhealthy"
    RESOURCE_EXHAUSTION = "resource_exhaustion"
    PERFORMANCE_DEGRADATION = "performance_degradation"
    HIGH_ERROR_RATE = "high_error_rate"
    HIGH_LATENCY = "high_latency"
    LOW_AVAILABILITY = "low_availability"
    DATABASE_OVERLOAD = "database_overload"
    MODEL_DRIFT = "model_drift"
    ANOMALY = "anomaly"


SOON = ".soon"
"""Ends the metric of an issue that warns of what has not happened yet: `rss_mb.soon`."""


class IssueState(StrEnum):
    """The states of an issue (docs/architecture.md); every change of state is stored as a Transition."""

    OPEN = "open"
    DIAGNOSED = "diagnosed"
    PLANNED = "planned"
    REFUSED = "refused"
    FIXING = "fixing"
    VERIFYING = "verifying"
    RESOLVED = "resolved"
    PARKED = "parked"
    MUTED = "muted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A detector's claim about one metric of one subject, with its evidence in words.

    `certain` marks a claim that needs no second signal (the process is gone)."""

    type: IssueType
    subject: Subject
    metric: str
    severity: Severity
    summary: str
    evidence: tuple[str, ...] = ()
    value: float | None = None
    threshold: float | None = None
    certain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """The problem as it is known now. Times are epoch seconds; `next_try_at` is set while parked or cooling down."""

    id: int
    type: IssueType
    subject: Subject
    metric: str
    severity: Severity
    state: IssueState
    summary: str
    opened_at: float
    updated_at: float
    resolved_at: float | None = None
    occurrences: int = 1
    evidence: tuple[str, ...] = ()
    value: float | None = None
    threshold: float | None = None
    certain: bool = False
    attempts: int = 0
    next_try_at: float | None = None

    @property
    def key(self) -> tuple[IssueType, Subject, str]:
        """What makes two findings the same issue."""
        return (self.type, self.subject, self.metric)

    @property
    def preventive(self) -> bool:
        """Whether it warns of what has not happened yet."""
        return self.metric.endswith(SOON)

    @property
    def is_open(self) -> bool:
        return self.state is not IssueState.RESOLVED


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One change of state of an issue or a fix: when (epoch seconds), from what to what, why, and by whom."""

    at: float
    before: str
    after: str
    cause: str
    actor: str
