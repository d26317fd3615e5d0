"""What goals are judged by: reads the metrics, the services and their failures into plain values. Judges nothing."""

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from autonomyd.engine.judges import folder_subject
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.host.machine import disk_subject
from autonomyd.host.mounts import mount_of, read_mounts
from autonomyd.model.forecast import Forecast
from autonomyd.model.goal import Goal
from autonomyd.model.issue import Issue, IssueType
from autonomyd.model.subject import HOST, Subject, service_of, service_subject
from autonomyd.plan.goals import (
    DAEMON_METRIC,
    DAY_S,
    MEMORY_METRIC,
    SWAP_METRIC,
    DiskFacts,
    GoalInputs,
    GoalLimits,
    ServiceNeeds,
    checks_metric,
    failures_metric,
    full_in_days,
)
from autonomyd.settings.cleanup import CleanupSettings
from autonomyd.settings.root import Settings

FULL = {"disk:": "disk.used_percent", "folder:": "folder.used_percent"}
FAILURES = frozenset({IssueType.SERVICE_DOWN, IssueType.SERVICE_UNHEALTHY})
MAX_FAILURES = 2000
DAEMON_TURNS = 10
"""The daemon's own cost counts when it was high in so many turns on end."""
STALE_S = 600.0
"""A disk that was last seen so long before the host was is no longer there."""
SUSTAINED_S = 600.0
"""Memory and swap count when their mean over at least this time is high."""

ForecastOf = Callable[[Subject, str], Forecast | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    issue_id: int
    service: str
    at: float


class GoalReader:
    """`daemon_cost` tells the daemon's own CPU in percent of one core, `forecast_of` when a series is full."""

    def __init__(
        self, monitoring: SelfMonitoringSystem, daemon_cost: Callable[[], float | None], forecast_of: ForecastOf
    ) -> None:
        self._monitoring = monitoring
        self._clock = monitoring.clock
        self._daemon_cost = daemon_cost
        self._forecast_of = forecast_of
        self._daemon_newest: deque[float] = deque(maxlen=DAEMON_TURNS)
        self._failures: deque[_Failure] = deque(maxlen=MAX_FAILURES)

    def on_issue(self, issue: Issue) -> None:
        """An issue was opened: the failures of a service are counted. The same issue twice counts once."""
        name = service_of(issue.subject)
        if name is None or issue.type not in FAILURES or any(each.issue_id == issue.id for each in self._failures):
            return
        age_s = max(0.0, self._clock.wall() - issue.opened_at)
        if age_s >= DAY_S:
            return  # it failed long ago and is still open: that is one issue, not a new failure every day
        self._failures.append(_Failure(issue_id=issue.id, service=name, at=self._clock.monotonic() - age_s))

    def inputs(self, open_goals: Iterable[Goal]) -> GoalInputs:
        """What is known now. Counts as a turn for what must last."""
        now = self._clock.monotonic()
        settings = self._monitoring.settings
        return GoalInputs(
            limits=_limits(settings),
            disks=tuple(self._disks(now)),
            services=tuple(self._services(now)),
            memory_percent=self._mean("memory.percent", now),
            swap_percent=self._mean("swap.percent", now),
            daemon_percent=self._daemon_percent(),
            open=frozenset(goal.key for goal in open_goals),
        )

    def _disks(self, now: float) -> Iterable[DiskFacts]:
        cleaned = _cleaned(self._monitoring.settings.cleanup)
        for subject, metric in self._monitoring.metrics.names():
            if metric not in FULL.values() or not subject.startswith(tuple(FULL)) or self.left(subject):
                continue
            view = self._monitoring.metrics.view(subject, metric)
            used = self._monitoring.metrics.last(subject, metric)
            if view is None or used is None:
                continue
            yield DiskFacts(
                subject=subject,
                metric=view.name,
                used_percent=used,
                fills_in_s=self._fills_in_s(subject, metric),
                cleaned=subject in cleaned,
            )

    def _fills_in_s(self, subject: Subject, metric: str) -> float | None:
        """None as well while it may never get there."""
        found = self._forecast_of(subject, metric)
        return None if found is None or found.latest_s is None else found.left_s

    def _services(self, now: float) -> Iterable[ServiceNeeds]:
        while self._failures and self._failures[0].at < now - DAY_S:
            self._failures.popleft()
        for name, service in self._monitoring.settings.services.items():
            limits = service.limits
            yield ServiceNeeds(
                name=name,
                failures=sum(failure.service == name for failure in self._failures),
                checks=len(service.checks),
                limited=limits.rss_mb is not None or limits.cpu_percent is not None,
                down=any(issue.type in FAILURES for issue in self._monitoring.book.of_subject(service_subject(name))),
            )

    def left(self, subject: Subject) -> bool:
        """Whether its last sample is much older than the host's newest: unmounted, or no longer watched."""
        host = self._monitoring.metrics.view(HOST, "memory.percent")
        if host is None or not len(host.at):
            return False
        metric = next(metric for kind, metric in FULL.items() if subject.startswith(kind))
        view = self._monitoring.metrics.view(subject, metric)
        return view is None or not len(view.at) or view.at[-1] < host.at[-1] - STALE_S

    def _mean(self, metric: str, now: float) -> float | None:
        view = self._monitoring.metrics.view(HOST, metric)
        newest = self._monitoring.metrics.last(HOST, metric)
        if view is None or newest is None:
            return None
        since = now - self._monitoring.settings.monitoring.trend_window_s
        known = [(at, value) for at, value in view.known() if at >= since]
        if not known or known[-1][0] - known[0][0] < SUSTAINED_S:
            return None
        return math.fsum(value for _, value in known) / len(known)

    def _daemon_percent(self) -> float | None:
        """The least of the newest turns: what the start or a busy moment costs is no lasting cost."""
        newest = self._daemon_cost()
        if newest is not None:
            self._daemon_newest.append(newest)
        full = len(self._daemon_newest) == DAEMON_TURNS
        return min(self._daemon_newest) if full and newest is not None else None

    def values(self, state: GoalInputs, open_goals: Iterable[Goal]) -> dict[str, float]:
        """What is known of every target of the open goals, and of those that our own goals aim at."""
        values: dict[str, float] = {}
        for service in state.services:
            values[failures_metric(service.name)] = float(service.failures)
            values[checks_metric(service.name)] = float(service.checks)
        for disk in state.disks:
            values[disk.metric] = disk.used_percent
            if disk.fills_in_s is not None:
                values[full_in_days(disk.subject)] = disk.fills_in_s / DAY_S
        means = {DAEMON_METRIC: state.daemon_percent, MEMORY_METRIC: state.memory_percent}
        means[SWAP_METRIC] = state.swap_percent
        values |= {name: known for name, known in means.items() if known is not None}
        for goal in open_goals:
            for name in goal.target_metrics:
                value = values.get(name, self._measure(name))
                if value is not None and math.isfinite(value):
                    values[name] = value
        return values

    def _measure(self, name: str) -> float | None:
        """The newest value of `subject/metric`; a bare name is one that the program pushed, or one of the host."""
        metrics = self._monitoring.metrics
        subject, slash, metric = name.rpartition("/")
        found = metrics.last(Subject(subject), metric) if slash else None
        if found is not None:
            return found
        for each in (Subject("application"), HOST):
            found = metrics.last(each, name)
            if found is not None:
                return found
        view = metrics.by_name(name)
        return None if view is None else metrics.last(view.subject, view.metric)


def _cleaned(cleanups: tuple[CleanupSettings, ...]) -> frozenset[Subject]:
    """What `[[cleanup]]` keeps free: the quota of a folder, or the disk that it is on. Reads mounts only when asked."""
    if not cleanups:
        return frozenset()
    try:
        mounts = read_mounts()
    except OSError:
        mounts = ()
    found = {folder_subject(each.root) for each in cleanups if each.quota_mb is not None}
    on = [mount_of(each.root, mounts) for each in cleanups if each.quota_mb is None]
    return frozenset(found | {disk_subject(mount.point) for mount in on if mount is not None})


def _limits(settings: Settings) -> GoalLimits:
    goals = settings.goals
    return GoalLimits(
        disk_horizon_s=goals.disk_horizon_s,
        disk_target_percent=goals.disk_target_percent,
        failures_per_day=goals.failures_per_day,
        suggest_checks=goals.suggest_checks,
        daemon_percent=settings.optimization.target_percent,
        memory_percent=settings.thresholds.memory_percent.enter,
        swap_percent=settings.thresholds.swap_percent.enter,
    )
