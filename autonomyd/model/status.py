"""What the daemon tells: one frozen type that the library, the socket, `--json` and the text all show.

Times named `_at` are epoch seconds, durations `_s` seconds, percentages 0..100. Every part can be read
by attribute or by key: `status.health.status` is `status["health"]["status"]`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from autonomyd.model.alert import AlertsStatus
from autonomyd.model.dependency import DependencyStatus
from autonomyd.model.fix import Fix
from autonomyd.model.goal import Goal
from autonomyd.model.health import HealthStatus, SubjectHealth, Trend
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Autonomy, Refusal
from autonomyd.model.reading import ReadingState
from autonomyd.model.service import Intent, ServiceState


class Readable:
    """Adds reading by key to a frozen dataclass."""

    __slots__ = ()

    def __getitem__(self, key: str) -> Any:
        if key not in self.keys():
            raise KeyError(key)
        return getattr(self, key)

    def keys(self) -> tuple[str, ...]:
        return tuple(each.name for each in fields(self))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonStatus(Readable):
    """The process and the configuration in force. `config_error` is set while a refused file left the old one."""

    pid: int
    version: str
    started_at: float
    uptime_s: float
    config_file: str | None
    config_loaded_at: float
    config_error: str | None
    state_dir: str
    socket: str | None
    event_loop: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport(Readable):
    """Health overall and per subject. `metrics` holds the host's newest values ("cpu.percent",
    "disk:/var/disk.used_percent"), `unknown` what could not be read and why."""

    status: HealthStatus
    trend: Trend
    subjects: tuple[SubjectHealth, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    unknown: tuple[str, ...] = ()
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HealingStatus(Readable):
    """Counts since the store began; `success_rate` is healed / finished fixes, 0..1, None before the first. `approvals`
    wait for a person; `tripped` says why nothing is done to the machine ("" when the budget is not used up)."""

    open_issues: int
    resolved_issues: int
    fixes: int
    outcomes: Mapping[str, int]
    success_rate: float | None
    approvals: int = 0
    tripped: str = ""
    running: tuple[Fix, ...] = ()
    last: Fix | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalsStatus(Readable):
    pending: int
    in_progress: int
    completed: int
    failed: int
    cancelled: int
    current: Goal | None = None
    items: tuple[Goal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizationStatus(Readable):
    """`cost_percent` is the daemon's own CPU in percent of one core, `memory_mb` its resident memory."""

    proposed: int
    applied: int
    verified: int
    rolled_back: int
    cost_percent: float | None
    memory_mb: float | None
    last: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopStatus(Readable):
    """`state`: starting, running, degraded (it raised and was restarted), stopped."""

    name: str
    state: str
    interval_s: float
    runs: int
    failures: int
    last_run_at: float | None
    last_duration_s: float | None
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStatus(Readable):
    """The newest reading of one check of a service. `failures` counts in a row."""

    name: str
    type: str
    state: ReadingState
    message: str
    at: float | None
    duration_ms: float | None
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus(Readable):
    """`control` is its type (process, systemd, command, container, launchd); `restarts` counts the daemon's own since
    it started; `next_try_at` is set while healing waits. It worked in `availability_percent` of the `availability_s`
    seconds of the last day that are known, and is to work in `objective_percent` of the time."""

    name: str
    state: ServiceState
    health: HealthStatus
    intent: Intent
    autonomy: Autonomy
    control: str
    pid: int | None
    since: float | None
    restarts: int
    message: str = ""
    next_try_at: float | None = None
    depends_on: tuple[str, ...] = ()
    earned: Mapping[str, Autonomy] = field(default_factory=lambda: MappingProxyType({}))
    availability_percent: float | None = None
    availability_s: float = 0.0
    objective_percent: float | None = None
    checks: tuple[CheckStatus, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueStatus(Readable):
    """An issue with the newest decision about it."""

    issue: Issue
    decision: str = ""
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseStatus(Readable):
    """`until` is epoch seconds; None with `paused` means until a person resumes."""

    paused: bool
    until: float | None = None
    reason: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatus(Readable):
    """`state`: ok or degraded; `pending` writes wait in memory and in the spill file."""

    state: str
    path: str
    pending: int
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemStatus(Readable):
    """Everything that `autonomyctl status` shows."""

    at: float
    daemon: DaemonStatus
    health: HealthReport
    healing: HealingStatus
    goals: GoalsStatus
    optimization: OptimizationStatus
    loops: Mapping[str, LoopStatus]
    services: Mapping[str, ServiceStatus]
    issues: tuple[IssueStatus, ...]
    pause: PauseStatus
    store: StoreStatus
    dependencies: Mapping[str, DependencyStatus] = field(default_factory=lambda: MappingProxyType({}))
    alerts: AlertsStatus = field(default_factory=AlertsStatus)
