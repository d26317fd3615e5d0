"""AutonomousGoalSetting: reads the state, lets plan/goals.py judge, keeps the goals. Usable alone.

It acts on nothing: a goal says in words what can be done, and healing does what it may on its own way.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import structlog

from autonomyd.analyze.trend import seconds_until, slope
from autonomyd.engine.judges import folder_subject
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.host.machine import disk_subject
from autonomyd.host.mounts import mount_of, read_mounts
from autonomyd.model.goal import Goal, GoalState
from autonomyd.model.issue import Issue, IssueType
from autonomyd.model.status import GoalsStatus
from autonomyd.model.subject import HOST, Subject, service_of, service_subject
from autonomyd.monitor.ring import SeriesView
from autonomyd.plan.goals import (
    DAEMON_METRIC,
    DAY_S,
    MEMORY_METRIC,
    OPEN_STATES,
    SWAP_METRIC,
    DiskFacts,
    GoalInputs,
    GoalLimits,
    ServiceNeeds,
    advance,
    checks_metric,
    failures_metric,
    full_in_days,
    generate,
    newcomers,
)
from autonomyd.settings.cleanup import CleanupSettings
from autonomyd.settings.root import Settings

FULL = {"disk:": "disk.used_percent", "folder:": "folder.used_percent"}
FAILURES = frozenset({IssueType.SERVICE_DOWN, IssueType.SERVICE_UNHEALTHY})
PROGRAM = "program:"
"""Goals of the embedding program have keys of their own: no condition of ours ends them."""
MAX_FAILURES = 2000
CLOSED_KEPT = 50
TRUST = 48.0
"""A trend is believed for so many times the span that it was seen for."""
PARTS = 3
"""A disk fills when it rose in each of so many parts of that span: one large file is no trend."""
PART_SAMPLES = 8
GONE_HOLD_S = 600.0
"""A measured condition must be over for so long before its goal is cancelled."""
STALE_S = 600.0
"""A disk that was last seen so long before the host was is no longer there."""
SUSTAINED_S = 600.0
"""Memory and swap count when their mean over at least this time is high."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    issue_id: int
    service: str
    at: float


class AutonomousGoalSetting:
    """`add` takes a goal of the embedding program; `tick` measures all. `on_goal` hears every goal that changed (to
    store it), `daemon_cost` tells the daemon's own CPU in percent of one core. Settings are monitoring's."""

    def __init__(
        self,
        *,
        monitoring: SelfMonitoringSystem | None = None,
        next_id: Callable[[], int] | None = None,
        on_goal: Callable[[Goal], None] = lambda goal: None,
        daemon_cost: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._monitoring = monitoring or SelfMonitoringSystem()
        self._clock = self._monitoring.clock
        self._ids = iter(range(1, 2**62))
        self._next_id = next_id or (lambda: next(self._ids))
        self._on_goal = on_goal
        self._daemon_cost = daemon_cost
        self._open: list[Goal] = []
        self._closed: deque[Goal] = deque(maxlen=CLOSED_KEPT)
        self._counts = dict.fromkeys(GoalState, 0)
        self._refused: set[str] = set()
        self._gone_since: dict[str, float] = {}
        self._failures: deque[_Failure] = deque(maxlen=MAX_FAILURES)

    @property
    def goals(self) -> tuple[Goal, ...]:
        """The open ones by urgency, then the newest that ended."""
        ranked = sorted(self._open, key=lambda goal: (goal.state is not GoalState.IN_PROGRESS, -goal.priority, goal.id))
        return (*ranked, *reversed(self._closed))

    def add(self, goal: Goal) -> Goal:
        """Take up a goal of the embedding program; returns it with its id. Its baseline is the first value that is
        known. One with the `key` of an open one is that one. Raises ValueError without a description or targets, or
        for a target that is no number."""
        if not goal.description.strip() or not goal.target_metrics:
            raise ValueError("a goal needs a description and target_metrics")
        wrong = [name for name, target in goal.target_metrics.items() if not math.isfinite(target)]
        if wrong:
            raise ValueError(f"the target of {wrong[0]} is not a number")
        key = f"{PROGRAM}{goal.key}" if goal.key else ""
        same = next((each for each in self._open if key and each.key == key), None)
        return same or self._take(replace(goal, key=key, state=GoalState.PENDING, progress=None, result=""))

    def cancel(self, goal_id: int, *, reason: str = "cancelled by a person") -> Goal:
        """End an open goal; one of ours stays away until its condition has been over. Raises KeyError."""
        goal = next((each for each in self._open if each.id == goal_id), None)
        if goal is None:
            raise KeyError(goal_id)
        ended = replace(goal, state=GoalState.CANCELLED, updated_at=self._clock.wall(), result=reason)
        self._refused.add(goal.key)
        self._keep([ended if each is goal else each for each in self._open])
        return ended

    def restore(
        self, goals: Iterable[Goal], *, issues: Iterable[Issue] = (), closed: Mapping[GoalState, int] | None = None
    ) -> None:
        """Take back what earlier runs left: goals (open or ended), issues of the last day, how many goals ended how."""
        for goal in goals:
            (self._open if goal.state in OPEN_STATES else self._closed).append(goal)
        self._ids = iter(range(max((goal.id for goal in self.goals), default=0) + 1, 2**62))
        self._counts.update(closed or {})
        for issue in sorted(issues, key=lambda issue: issue.opened_at):
            self.on_issue(issue)

    def on_issue(self, issue: Issue) -> None:
        """An issue was opened: the failures of a service are counted. The same issue twice counts once."""
        name = service_of(issue.subject)
        if name is None or issue.type not in FAILURES or any(each.issue_id == issue.id for each in self._failures):
            return
        age_s = max(0.0, self._clock.wall() - issue.opened_at)
        self._failures.append(_Failure(issue_id=issue.id, service=name, at=self._clock.monotonic() - age_s))

    async def tick(self) -> None:
        """One turn: measure the open goals, end those that are over, take up new ones."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        for issue in self._monitoring.book.open_issues():
            self.on_issue(issue)
        enabled = self._settings.goals.enabled
        state = self._inputs(now)
        fresh = generate(state) if enabled else ()
        keys = {goal.key for goal in fresh}
        self._refused &= keys
        gone = self._gone(keys, state, now)
        settings = self._settings.goals
        for goal in newcomers(self._open, fresh, max_open=settings.max_open, never=self._refused):
            self._take(goal)
        values = self._values(state)
        self._keep(advance(self._open, values, wall, fresh=fresh, gone=gone, expire_s=settings.expire_s))

    def status(self) -> GoalsStatus:
        """Counts of those that ended are since the store began where `restore` told them, else since the start."""
        current = next((goal for goal in self._open if goal.state is GoalState.IN_PROGRESS), None)
        return GoalsStatus(
            pending=sum(goal.state is GoalState.PENDING for goal in self._open),
            in_progress=sum(goal.state is GoalState.IN_PROGRESS for goal in self._open),
            completed=self._counts[GoalState.COMPLETED],
            failed=self._counts[GoalState.FAILED],
            cancelled=self._counts[GoalState.CANCELLED],
            current=current,
            items=self.goals,
        )

    # --- keeping -------------------------------------------------------------------------------------------------

    @property
    def _settings(self) -> Settings:
        return self._monitoring.settings

    def _new(self, goal: Goal) -> Goal:
        wall = self._clock.wall()
        made = replace(goal, id=self._next_id(), created_at=wall, updated_at=wall)
        log.info("goal_set", goal=made.id, priority=made.priority.name.lower(), description=made.description)
        self._on_goal(made)
        return made

    def _take(self, goal: Goal) -> Goal:
        made = self._new(goal)
        self._open.append(made)
        return made

    def _keep(self, moved: Iterable[Goal]) -> None:
        """Replace the open goals by `moved`, tell of those that changed, put away those that ended."""
        before = {goal.id: goal for goal in self._open}
        self._open = []
        for goal in moved:
            if goal != before.get(goal.id):
                self._on_goal(goal)
            if goal.state in OPEN_STATES:
                self._open.append(goal)
                continue
            if goal.state is GoalState.FAILED and goal.key:
                self._refused.add(goal.key)
            self._counts[goal.state] += 1
            self._closed.append(goal)
            log.info("goal_ended", goal=goal.id, state=goal.state.value, result=goal.result)

    def _gone(self, wished: set[str], state: GoalInputs, now: float) -> dict[str, str]:
        """Keys of our open goals whose condition is over, and why. A value that is not known ends nothing."""
        gone: dict[str, str] = {}
        services = {each.name for each in state.services}
        for goal in self._open:
            key = goal.key
            if not key or key.startswith(PROGRAM) or key in wished:
                self._gone_since.pop(key, None)
                continue
            name = service_of(Subject(key.partition("/")[0]))
            if not self._settings.goals.enabled:
                gone[key] = "goals are switched off"
            elif name is not None:
                gone[key] = "no longer relevant" if name in services else f"{name} is no longer configured"
            elif self._is_known(key, state):
                since = self._gone_since.setdefault(key, now)
                if now - since >= GONE_HOLD_S:
                    gone[key] = "no longer relevant: its condition is over"
            elif key.startswith(tuple(FULL)) and self._left(Subject(key)):
                gone[key] = f"{key} is no longer there"
        return gone

    def _is_known(self, key: str, state: GoalInputs) -> bool:
        single = {"memory": state.memory_percent, "swap": state.swap_percent, "daemon": state.daemon_percent}
        if key in single:
            return single[key] is not None
        return any(disk.subject == key for disk in state.disks) or not key.startswith(tuple(FULL))

    # --- reading the state ---------------------------------------------------------------------------------------

    def _inputs(self, now: float) -> GoalInputs:
        settings = self._settings
        return GoalInputs(
            limits=_limits(settings),
            disks=tuple(self._disks(now)),
            services=tuple(self._services(now)),
            memory_percent=self._mean("memory.percent", now),
            swap_percent=self._mean("swap.percent", now),
            daemon_percent=self._daemon_cost(),
            open=frozenset(goal.key for goal in self._open),
        )

    def _disks(self, now: float) -> Iterable[DiskFacts]:
        cleaned = _cleaned(self._settings.cleanup)
        for subject, metric in self._monitoring.metrics.names():
            if metric not in FULL.values() or not subject.startswith(tuple(FULL)) or self._left(subject):
                continue
            view = self._monitoring.metrics.view(subject, metric)
            used = self._monitoring.metrics.last(subject, metric)
            if view is None or used is None:
                continue
            yield DiskFacts(
                subject=subject,
                metric=view.name,
                used_percent=used,
                fills_in_s=fills_in_s(view),
                cleaned=subject in cleaned,
            )

    def _services(self, now: float) -> Iterable[ServiceNeeds]:
        while self._failures and self._failures[0].at < now - DAY_S:
            self._failures.popleft()
        for name, service in self._settings.services.items():
            limits = service.limits
            yield ServiceNeeds(
                name=name,
                failures=sum(failure.service == name for failure in self._failures),
                checks=len(service.checks),
                limited=limits.rss_mb is not None or limits.cpu_percent is not None,
                down=any(issue.type in FAILURES for issue in self._monitoring.book.of_subject(service_subject(name))),
            )

    def _left(self, subject: Subject) -> bool:
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
        since = now - self._settings.monitoring.trend_window_s
        known = [(at, value) for at, value in view.known() if at >= since]
        if not known or known[-1][0] - known[0][0] < SUSTAINED_S:
            return None
        return math.fsum(value for _, value in known) / len(known)

    def _values(self, state: GoalInputs) -> dict[str, float]:
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
        for goal in self._open:
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


def fills_in_s(view: SeriesView) -> float | None:
    """Seconds until a series of percentages reaches 100; None when it does not rise steadily, or when that is further
    away than the seen span lets anybody say."""
    size = len(view.values)
    if size < PARTS * PART_SAMPLES or not view.values[-1] > view.values[0]:
        return None
    known = list(view.known())
    part = len(known) // PARTS
    for index in range(PARTS):
        piece = known[index * part : (index + 1) * part]
        rising = slope(piece, since=-math.inf)
        if rising is None or rising.per_s <= 0.0:
            return None
    whole = slope(known, since=-math.inf)
    left_s = seconds_until(whole, 100.0)
    if whole is None or left_s is None or left_s > TRUST * whole.span_s:
        return None
    return left_s


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
