"""AutonomousGoalSetting: reads the state, lets plan/goals.py judge, keeps the goals. Usable alone.

It acts on nothing: a goal says in words what can be done, and healing does what it may on its own way.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import structlog

from autonomyd.engine.goal_inputs import FULL, ForecastOf, GoalReader
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.model.goal import Goal, GoalState
from autonomyd.model.issue import Issue
from autonomyd.model.status import GoalsStatus
from autonomyd.model.subject import Subject, service_of
from autonomyd.plan.goals import OPEN_STATES, GoalInputs, advance, generate, newcomers
from autonomyd.settings.root import Settings

PROGRAM = "program:"
"""Goals of the embedding program have keys of their own: no condition of ours ends them."""
CLOSED_KEPT = 50
GONE_HOLD_S = 600.0
"""A measured condition must be over for so long before its goal is cancelled."""

log = structlog.get_logger(__name__)


class AutonomousGoalSetting:
    """`add` takes a goal of the embedding program; `tick` measures all. `on_goal` hears every goal that changed (to
    store it), `daemon_cost` tells the daemon's own CPU in percent of one core, `forecast_of` when a disk will be full
    (nothing is known of that without). Settings are monitoring's."""

    def __init__(
        self,
        *,
        monitoring: SelfMonitoringSystem | None = None,
        next_id: Callable[[], int] | None = None,
        on_goal: Callable[[Goal], None] = lambda goal: None,
        daemon_cost: Callable[[], float | None] = lambda: None,
        forecast_of: ForecastOf = lambda subject, metric: None,
    ) -> None:
        self._monitoring = monitoring or SelfMonitoringSystem()
        self._clock = self._monitoring.clock
        self._ids = iter(range(1, 2**62))
        self._next_id = next_id or (lambda: next(self._ids))
        self._on_goal = on_goal
        self._reader = GoalReader(self._monitoring, daemon_cost, forecast_of)
        self._open: list[Goal] = []
        self._closed: deque[Goal] = deque(maxlen=CLOSED_KEPT)
        self._counts = dict.fromkeys(GoalState, 0)
        self._refused: set[str] = set()
        self._gone_since: dict[str, float] = {}

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
        self._reader.on_issue(issue)

    async def tick(self) -> None:
        """One turn: measure the open goals, end those that are over, take up new ones."""
        now = self._clock.monotonic()
        for issue in self._monitoring.book.open_issues():
            self.on_issue(issue)
        enabled = self._settings.goals.enabled
        state = self._reader.inputs(self._open)
        fresh = generate(state) if enabled else ()
        keys = {goal.key for goal in fresh}
        self._refused &= keys
        gone = self._gone(keys, state, now)
        settings = self._settings.goals
        for goal in newcomers(self._open, fresh, max_open=settings.max_open, never=self._refused):
            self._take(goal)
        values = self._reader.values(state, self._open)
        self._keep(advance(self._open, values, self._clock.wall(), fresh=fresh, gone=gone, expire_s=settings.expire_s))

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
            elif key.startswith(tuple(FULL)) and self._reader.left(Subject(key)):
                gone[key] = f"{key} is no longer there"
        return gone

    def _is_known(self, key: str, state: GoalInputs) -> bool:
        single = {"memory": state.memory_percent, "swap": state.swap_percent, "daemon": state.daemon_percent}
        if key in single:
            return single[key] is not None
        return any(disk.subject == key for disk in state.disks) or not key.startswith(tuple(FULL))
