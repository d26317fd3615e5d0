"""Goals: which wished states follow from the state of the machine, how far each is, and what becomes of it. Pure.

A goal of ours has a `key`, the subject of its wish, so that one wish is never there twice. Its condition has an upper
level at which it begins and a lower one at which it ends; a key in `GoalInputs.open` is held against the lower one.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from autonomyd.model.goal import Goal, GoalPriority, GoalState, GoalType
from autonomyd.model.subject import Subject

HOUR_S = 3600.0
DAY_S = 86400.0
DISK_MARGIN = 5.0
"""A disk becomes a goal this many points above the target (half of what is left where that is less)."""
DAEMON_MARGIN = 1.5
MEMORY_MARGIN = 10.0
OPEN_STATES = frozenset({GoalState.PENDING, GoalState.IN_PROGRESS})
DROP_STEPS = 2
"""A goal's priority rises at once, and falls only by so many steps: it must not flap at a boundary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalLimits:
    """What counts (settings `[goals]`, `[optimization]` and the thresholds of memory). Percentages are 0..100."""

    disk_horizon_s: float = 604800.0
    disk_target_percent: float = 80.0
    failures_per_day: int = 3
    suggest_checks: bool = True
    daemon_percent: float = 0.1
    memory_percent: float = 85.0
    swap_percent: float = 80.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFacts:
    """A disk, or a folder with a quota. `fills_in_s` is when it is foretold to be full, None when that is not;
    `cleaned` says whether a `[[cleanup]]` covers it. `metric` is the full name of its used percentage."""

    subject: Subject
    metric: str
    used_percent: float
    fills_in_s: float | None = None
    cleaned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceNeeds:
    """A declared service: how often it failed in the last 24 h, how many checks it has, whether it has limits."""

    name: str
    failures: int = 0
    checks: int = 0
    limited: bool = False
    down: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalInputs:
    """The state of the machine. Memory, swap and the daemon's own CPU are means over a time, None when not known.
    `open` holds the keys of the goals that are there already."""

    limits: GoalLimits
    disks: tuple[DiskFacts, ...] = ()
    services: tuple[ServiceNeeds, ...] = ()
    memory_percent: float | None = None
    swap_percent: float | None = None
    daemon_percent: float | None = None
    open: frozenset[str] = frozenset()


def full_in_days(subject: str) -> str:
    """The metric that says in how many days a disk is full."""
    return f"{subject}/full_in_days"


def failures_metric(service: str) -> str:
    return f"service:{service}/failures_per_day"


def checks_metric(service: str) -> str:
    return f"service:{service}/checks"


DAEMON_METRIC = "daemon/cpu_percent"
MEMORY_METRIC = "host/memory.mean_percent"
SWAP_METRIC = "host/swap.mean_percent"


def generate(state: GoalInputs) -> tuple[Goal, ...]:
    """The goals that the state asks for now, the most urgent first; without id and time."""
    kinds = (_disk_goals, _failing_goals, _check_goals, _daemon_goals, _memory_goals)
    found = [goal for kind in kinds for goal in kind(state)]
    return tuple(sorted(found, key=lambda goal: (-goal.priority, goal.key)))


def progress(goal: Goal, values: Mapping[str, float]) -> float | None:
    """0..1, the mean of the targets: how much of the way from baseline to target is done; None when none is known.
    The baseline gives the direction. A target whose value or baseline is not known counts as not begun."""
    parts = [_share(goal.baseline.get(name), target, values.get(name)) for name, target in goal.target_metrics.items()]
    if all(part is None for part in parts):
        return None
    return min(1.0, math.fsum(part or 0.0 for part in parts) / len(parts))


def advance(
    goals: Sequence[Goal],
    values: Mapping[str, float],
    now: float,
    *,
    fresh: Sequence[Goal] = (),
    gone: Mapping[str, str] | None = None,
    expire_s: float = math.inf,
) -> tuple[Goal, ...]:
    """`goals` one turn later, in the same order; those that did not change are the same objects.

    `values` maps full metric names to what is known, `now` is epoch seconds, `fresh` what `generate` says,
    `gone` maps the keys whose condition is over to the reason."""
    wished = {goal.key: goal for goal in fresh}
    moved = [_turn(goal, values, now, wished.get(goal.key), gone or {}, expire_s) for goal in goals]
    return _one_at_a_time(moved, now)


def newcomers(
    goals: Iterable[Goal], fresh: Iterable[Goal], *, max_open: int, never: Collection[str] = ()
) -> tuple[Goal, ...]:
    """Those of `fresh` that are to be taken up: not there yet, not in `never`, and as many as there is room for."""
    held = [goal for goal in goals if goal.state in OPEN_STATES]
    keys = {goal.key for goal in held}
    waiting = [goal for goal in fresh if goal.key not in keys and goal.key not in never]
    return tuple(waiting[: max(0, max_open - len(held))])


def _turn(
    goal: Goal,
    values: Mapping[str, float],
    now: float,
    wished: Goal | None,
    gone: Mapping[str, str],
    expire_s: float,
) -> Goal:
    if goal.state not in OPEN_STATES:
        return goal
    if wished is not None:
        goal = _replanned(goal, wished, now)
    goal = _measured(goal, values, now)
    if goal.progress is not None and goal.progress >= 1.0:
        return _ended(goal, GoalState.COMPLETED, now, f"reached: {_words(goal, values)}")
    if goal.key in gone and goal.key:
        return _ended(goal, GoalState.CANCELLED, now, gone[goal.key])
    if now - goal.updated_at >= expire_s:
        return _ended(goal, GoalState.FAILED, now, f"no progress for {expire_s / DAY_S:.3g} days")
    return goal


def _measured(goal: Goal, values: Mapping[str, float], now: float) -> Goal:
    """Take the baseline of what is known for the first time, and the progress in steps of 1 %, so that noise
    changes nothing. While a target can't be read the last progress stands."""
    missing = {name: values[name] for name in goal.target_metrics if name in values and name not in goal.baseline}
    if missing:
        goal = replace(goal, baseline={**goal.baseline, **missing}, updated_at=now)
    if any(name not in values for name in goal.target_metrics) and goal.progress is not None:
        return goal
    share = progress(goal, values)
    share = None if share is None else math.floor(share * 100.0) / 100.0
    if share is None or share == goal.progress:
        return goal
    better = share > (goal.progress or 0.0)
    return replace(goal, progress=share, updated_at=now if better else goal.updated_at)


def _replanned(goal: Goal, wished: Goal, now: float) -> Goal:
    if goal.target_metrics != wished.target_metrics:
        return replace(
            goal,
            description=wished.description,
            priority=wished.priority,
            type=wished.type,
            target_metrics=wished.target_metrics,
            actions=wished.actions,
            baseline=wished.baseline,
            progress=None,
            updated_at=now,
            result="re-planned: the target changed",
        )
    fell = goal.priority - wished.priority
    if fell < 0 or fell >= DROP_STEPS:
        words = f"re-planned: {goal.priority.name.lower()} became {wished.priority.name.lower()}"
        return replace(
            goal,
            description=wished.description,
            priority=wished.priority,
            actions=wished.actions,
            updated_at=now,
            result=words,
        )
    if goal.actions != wished.actions:
        return replace(goal, actions=wished.actions, updated_at=now, result="re-planned: other actions")
    return goal


def _one_at_a_time(goals: list[Goal], now: float) -> tuple[Goal, ...]:
    """The most urgent one, the oldest of these, is in progress; one that is under way gives way only to a higher
    priority."""
    waiting = [goal for goal in goals if goal.state is GoalState.PENDING]
    first = min(waiting, key=lambda goal: (-goal.priority, goal.created_at, goal.id), default=None)
    current = next((goal for goal in goals if goal.state is GoalState.IN_PROGRESS), None)
    if first is None or (current is not None and first.priority <= current.priority):
        return tuple(goals)
    changed = {first.id: replace(first, state=GoalState.IN_PROGRESS, updated_at=now)}
    if current is not None:
        words = f"waits for a more urgent one: {first.description}"
        changed[current.id] = replace(current, state=GoalState.PENDING, updated_at=now, result=words)
    return tuple(changed.get(goal.id, goal) for goal in goals)


def _ended(goal: Goal, state: GoalState, now: float, result: str) -> Goal:
    return replace(goal, state=state, updated_at=now, result=result)


def _words(goal: Goal, values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} is {values[name]:.4g}" for name in goal.target_metrics if name in values)


def _share(baseline: float | None, target: float, value: float | None) -> float | None:
    if baseline is None or value is None or not (math.isfinite(baseline) and math.isfinite(value)):
        return None
    if baseline == target:
        return 1.0 if value == target else 0.0
    way, done = target - baseline, value - baseline
    if not (math.isfinite(way) and math.isfinite(done)):  # the difference of two huge numbers
        way, done = target / 2 - baseline / 2, value / 2 - baseline / 2
    if way < 0:
        way, done = -way, -done
    return 0.0 if done <= 0.0 else 1.0 if done >= way else done / way


# --- what the state asks for -------------------------------------------------------------------------------------


def _disk_goals(state: GoalInputs) -> Iterator[Goal]:
    limits = state.limits
    target = limits.disk_target_percent
    for disk in state.disks:
        opened = disk.subject in state.open
        name = disk.subject.partition(":")[2]
        begins = target if opened else target + min(DISK_MARGIN, (100.0 - target) / 2)
        horizon_s = limits.disk_horizon_s * (2.0 if opened else 1.0)
        if disk.used_percent > begins:
            words = f"{name} is {disk.used_percent:.0f} % full: bring it under {target:g} %"
            targets, baseline = {disk.metric: target}, {disk.metric: disk.used_percent}
        elif disk.fills_in_s is not None and disk.fills_in_s <= horizon_s:
            metric = full_in_days(disk.subject)
            words = f"{name} will be full in {_span(disk.fills_in_s)}: stop what fills it"
            targets, baseline = {metric: 2.0 * limits.disk_horizon_s / DAY_S}, {metric: disk.fills_in_s / DAY_S}
        else:
            continue
        yield Goal(
            key=disk.subject,
            type=GoalType.RELIABILITY,
            description=words,
            priority=_disk_priority(disk),
            target_metrics=targets,
            baseline=baseline,
            actions=_disk_actions(disk, name),
        )


def _disk_priority(disk: DiskFacts) -> GoalPriority:
    """By how near the harm (no space left) is."""
    left_s = math.inf if disk.fills_in_s is None else disk.fills_in_s
    if disk.used_percent >= 97.0 or left_s <= 6 * HOUR_S:
        return GoalPriority.CRITICAL
    if disk.used_percent >= 92.0 or left_s <= DAY_S:
        return GoalPriority.HIGH
    if disk.used_percent >= 85.0 or left_s <= 3 * DAY_S:
        return GoalPriority.MEDIUM
    return GoalPriority.LOW


def _disk_actions(disk: DiskFacts, name: str) -> tuple[str, ...]:
    look = f"see what is large: du -xh --max-depth=2 {name} | sort -h | tail"
    if disk.cleaned:
        return (look, "rotated logs are removed here by [[cleanup]] when it reaches its enter_percent")
    return (look, 'allow old rotated logs to be removed: [[cleanup]] with root = "THE PROGRAM\'S LOG FOLDER"')


def _failing_goals(state: GoalInputs) -> Iterator[Goal]:
    most = state.limits.failures_per_day
    for service in state.services:
        key = f"service:{service.name}/failures"
        if service.failures < (1 if key in state.open else most):
            continue
        metric = failures_metric(service.name)
        urgent = GoalPriority.HIGH if service.failures >= 2 * most else GoalPriority.MEDIUM
        actions = [
            f"see why it ended: autonomyctl logs {service.name}; autonomyctl issues",
            "see what was done about it: autonomyctl fixes",
        ]
        if not service.limited:
            actions.append(f"bound what it may use: [services.{service.name}] limits = {{ rss_mb = 512 }}")
        yield Goal(
            key=key,
            type=GoalType.RELIABILITY,
            description=f"{service.name} failed {service.failures} times within a day: a day without a failure",
            priority=GoalPriority.CRITICAL if service.down and urgent is GoalPriority.HIGH else urgent,
            target_metrics={metric: 0.0},
            baseline={metric: float(service.failures)},
            actions=tuple(actions),
        )


def _check_goals(state: GoalInputs) -> Iterator[Goal]:
    if not state.limits.suggest_checks:
        return
    for service in state.services:
        if service.checks:
            continue
        metric = checks_metric(service.name)
        line = '{ type = "tcp", host = "127.0.0.1", port = ITS_PORT }'
        yield Goal(
            key=f"service:{service.name}/checks",
            type=GoalType.KNOWLEDGE,
            description=f"{service.name} has no check: only its death would be noticed, not that it hangs",
            priority=GoalPriority.LOW,
            target_metrics={metric: 1.0},
            baseline={metric: 0.0},
            actions=(f"add to [services.{service.name}]: checks = [{line}]", "then: autonomyctl reload"),
        )


def _daemon_goals(state: GoalInputs) -> Iterator[Goal]:
    used, target = state.daemon_percent, state.limits.daemon_percent
    if used is None or used <= target * (1.0 if "daemon" in state.open else DAEMON_MARGIN):
        return
    yield Goal(
        key="daemon",
        type=GoalType.PERFORMANCE,
        description=f"autonomyd itself uses {used:.2g} % of a core: under {target:g} %",
        priority=GoalPriority.LOW if used >= 10.0 * target else GoalPriority.DEFERRED,
        target_metrics={DAEMON_METRIC: target},
        baseline={DAEMON_METRIC: used},
        actions=("see what is changed about it: autonomyctl optimization", "look less often: [intervals] monitoring_s"),
    )


def _memory_goals(state: GoalInputs) -> Iterator[Goal]:
    limits = state.limits
    for key, words, used, level in (
        ("memory", "memory", state.memory_percent, limits.memory_percent),
        ("swap", "swap", state.swap_percent, limits.swap_percent),
    ):
        target = max(0.0, level - MEMORY_MARGIN)
        if used is None or used < (target if key in state.open else level):
            continue
        metric = MEMORY_METRIC if key == "memory" else SWAP_METRIC
        yield Goal(
            key=key,
            type=GoalType.PERFORMANCE,
            description=f"{words} has been {used:.0f} % in use for a long time: under {target:g} %",
            priority=GoalPriority.HIGH if used >= 95.0 else GoalPriority.MEDIUM,
            target_metrics={metric: target},
            baseline={metric: used},
            actions=(
                "see who uses it: ps -eo rss,comm --sort=-rss | head",
                "bound a service: limits = { rss_mb = 512 }",
            ),
        )


def _span(seconds: float) -> str:
    if seconds < 2 * HOUR_S:
        return f"{max(1.0, seconds / 60.0):.0f} min"
    return f"{seconds / HOUR_S:.0f} h" if seconds < 2 * DAY_S else f"{seconds / DAY_S:.0f} days"
