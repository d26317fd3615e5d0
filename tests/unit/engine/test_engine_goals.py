"""The goals' keeper: reads a real monitoring system, keeps the goals, tells of what changed."""

import math
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest

from autonomyd.engine.goals import GONE_HOLD_S, AutonomousGoalSetting
from autonomyd.engine.insight.foresight import Foresight
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.records import Records
from autonomyd.model.goal import Goal, GoalPriority, GoalState
from autonomyd.model.health import Severity
from autonomyd.model.issue import Issue, IssueState, IssueType
from autonomyd.model.reading import MetricSpec, ReadingState
from autonomyd.model.subject import HOST, Subject, service_subject
from autonomyd.monitor.probe import Look
from autonomyd.settings.control import CommandControl
from autonomyd.settings.goals import GoalSettings
from autonomyd.settings.root import Settings
from autonomyd.settings.service import CheckSettings, ServiceSettings

VAR = Subject("disk:/var")
USED = "disk:/var/disk.used_percent"


@dataclass
class ManualClock:
    at: float = 1000.0
    epoch: float = 1_760_000_000.0

    def monotonic(self) -> float:
        return self.at

    def wall(self) -> float:
        return self.epoch + self.at

    def advance(self, seconds: float) -> None:
        self.at += seconds


@dataclass
class Gauge:
    """A probe that says what the test put into it."""

    metrics: ClassVar = (MetricSpec(name="disk.used_percent", unit="%"), MetricSpec(name="memory.percent", unit="%"))
    values: dict[str, float] = field(default_factory=dict)

    def look_now(self) -> Look:
        return Look(values=self.values) if self.values else Look(state=ReadingState.UNKNOWN, message="not there")


class World:
    """A monitoring system with gauges instead of the machine, and the goals on top."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.clock = ManualClock()
        self.monitoring = SelfMonitoringSystem(settings or Settings(), clock=self.clock)
        self.monitoring.unwatch("host")
        self.gauges: dict[str, Gauge] = {}
        self.told: list[Goal] = []
        self.cost: float | None = None
        self.foresight = Foresight(
            clock=self.clock,
            settings=lambda: self.monitoring.settings,
            monitoring=self.monitoring,
            services=dict,
            records=Records(self.clock),
        )
        self.goals = AutonomousGoalSetting(
            monitoring=self.monitoring,
            on_goal=self.told.append,
            daemon_cost=lambda: self.cost,
            forecast_of=self.foresight.forecast_of,
        )

    def gauge(self, subject: Subject, metric: str, value: float) -> None:
        gauge = self.gauges.get(subject)
        if gauge is None:
            gauge = self.gauges[subject] = Gauge()
            self.monitoring.watch(f"gauge {subject}", subject, gauge, kind="gauge", every_s=10.0)
        gauge.values = {metric: value}

    async def look(self, *, after_s: float = 10.0) -> None:
        self.clock.advance(after_s)
        await self.monitoring.sampler.look_at_all()
        await self.foresight.tick()

    async def turn(self, *, after_s: float = 60.0) -> tuple[Goal, ...]:
        await self.look(after_s=after_s)
        await self.goals.tick()
        return self.goals.goals


@pytest.fixture
def world() -> World:
    return World()


def settings(**services: ServiceSettings) -> Settings:
    return Settings(services=services)


def service(*, checks: tuple[CheckSettings, ...] = ()) -> ServiceSettings:
    control = CommandControl(type="command", start=("true",), stop=("true",), match="web")
    return ServiceSettings(control=control, checks=checks)


def issue(number: int, clock: ManualClock, *, kind: IssueType = IssueType.SERVICE_DOWN, ago_s: float = 0.0) -> Issue:
    at = clock.wall() - ago_s
    return Issue(
        id=number,
        type=kind,
        subject=service_subject("web"),
        metric="process",
        severity=Severity.CRITICAL,
        state=IssueState.OPEN,
        summary="it is gone",
        opened_at=at,
        updated_at=at,
    )


async def test_it_can_be_used_alone() -> None:
    goals = AutonomousGoalSetting()
    await goals.tick()
    made = goals.add(Goal(description="answer faster", target_metrics={"latency": 100.0}))
    assert made.id > 0
    assert made in goals.goals


async def test_the_life_of_a_disk_goal(world: World) -> None:
    world.gauge(VAR, "disk.used_percent", 92.0)
    (made,) = await world.turn()
    assert (made.key, made.state, made.progress) == ("disk:/var", GoalState.IN_PROGRESS, 0.0)
    assert made.priority is GoalPriority.HIGH
    told = len(world.told)
    await world.turn()
    assert len(world.told) == told, "nothing changed: nothing is stored"
    world.gauge(VAR, "disk.used_percent", 86.0)
    (half,) = await world.turn()
    assert half.progress == 0.5
    world.gauge(VAR, "disk.used_percent", 79.0)
    (done,) = await world.turn()
    assert (done.id, done.state, done.progress) == (made.id, GoalState.COMPLETED, 1.0)
    assert world.told[-1] == done
    status = world.goals.status()
    assert (status["completed"], status.pending, status.in_progress, status.current) == (1, 0, 0, None)


async def test_a_disk_that_fills_and_then_does_not(world: World) -> None:
    for step in range(150):
        world.gauge(VAR, "disk.used_percent", 30.0 + step * 0.3)
        await world.look()
    (made,) = await world.turn(after_s=10.0)
    assert list(made.target_metrics) == ["disk:/var/full_in_days"]
    assert made.priority is GoalPriority.CRITICAL
    for _ in range(180):
        world.gauge(VAR, "disk.used_percent", 60.0)
        await world.look()
    await world.goals.tick()
    assert world.goals.goals[0].state is GoalState.IN_PROGRESS, "not at the first look"
    (ended,) = await world.turn(after_s=GONE_HOLD_S)
    assert ended.state is GoalState.CANCELLED


async def test_one_large_file_is_no_trend(world: World) -> None:
    for step in range(60):
        world.gauge(VAR, "disk.used_percent", 50.0 if step < 30 else 55.0)
        await world.look()
    await world.goals.tick()
    assert world.goals.goals == ()


async def test_unknown_ends_no_goal_and_an_unmounted_disk_does(world: World) -> None:
    world.gauge(VAR, "disk.used_percent", 92.0)
    world.gauge(HOST, "memory.percent", 20.0)
    await world.turn()
    world.gauges[VAR].values = {}
    world.gauges[HOST].values = {}
    for _ in range(3):
        (still,) = await world.turn(after_s=2 * GONE_HOLD_S)
        assert still.state is GoalState.IN_PROGRESS
    world.gauge(HOST, "memory.percent", 20.0)
    (gone,) = await world.turn()
    assert (gone.state, gone.result) == (GoalState.CANCELLED, "disk:/var is no longer there")


async def test_a_service_that_fails_often_until_a_day_without() -> None:
    world = World(settings(web=service(checks=(CheckSettings(type="tcp"),))))
    for number in range(1, 4):
        world.goals.on_issue(issue(number, world.clock))
        world.goals.on_issue(issue(number, world.clock))
    world.goals.on_issue(issue(9, world.clock, kind=IssueType.HIGH_LATENCY))
    (made,) = await world.turn()
    assert made.baseline == {"service:web/failures_per_day": 3.0}
    (done,) = await world.turn(after_s=86400.0)
    assert done.state is GoalState.COMPLETED


async def test_failures_of_the_last_run_count_while_they_are_young() -> None:
    world = World(settings(web=service(checks=(CheckSettings(type="tcp"),))))
    old = [issue(1, world.clock, ago_s=90000.0), issue(2, world.clock, ago_s=100.0), issue(3, world.clock)]
    world.goals.restore([], issues=old)
    assert await world.turn() == ()
    world.goals.on_issue(issue(4, world.clock))
    assert len(await world.turn()) == 1


async def test_an_issue_that_stays_open_is_one_failure_of_its_day() -> None:
    world = World(settings(web=service(checks=(CheckSettings(type="tcp"),))))
    for number in range(1, 4):
        kept = replace(issue(number, world.clock), metric=f"m{number}")
        world.monitoring.book.restore([*world.monitoring.book.open_issues(), kept])
    assert len(await world.turn()) == 1
    assert (await world.turn(after_s=86400.0))[0].state is GoalState.COMPLETED
    assert len(await world.turn(after_s=86400.0)) == 1


async def test_a_missing_check_is_a_goal_until_it_is_there_or_the_service_is_gone() -> None:
    world = World(settings(web=service(), db=service()))
    keys = {goal.key for goal in await world.turn()}
    assert keys == {"service:web/checks", "service:db/checks"}
    world.monitoring.settings = settings(web=service(checks=(CheckSettings(type="tcp"),)))
    ended = {goal.key: goal for goal in await world.turn()}
    assert ended["service:web/checks"].state is GoalState.COMPLETED
    assert ended["service:db/checks"].state is GoalState.CANCELLED
    assert ended["service:db/checks"].result == "db is no longer configured"


async def test_a_goal_of_the_program_is_measured_from_what_it_pushes(world: World) -> None:
    made = world.goals.add(
        Goal(description="drain the queue", target_metrics={"queue": 0.0}, priority=GoalPriority.HIGH, key="queue")
    )
    assert world.goals.add(replace(made, key="queue")).id == made.id
    await world.turn()
    assert world.goals.goals[0].progress is None
    for value, progress in ((80.0, 0.0), (20.0, 0.75)):
        world.monitoring.push("queue", value)
        assert (await world.turn(after_s=2 * GONE_HOLD_S))[0].progress == progress
    world.monitoring.push("queue", 0.0)
    assert (await world.turn())[0].state is GoalState.COMPLETED


@pytest.mark.parametrize("changes", [{"description": " "}, {"target_metrics": {}}, {"target_metrics": {"m": math.inf}}])
async def test_a_goal_that_says_nothing_is_refused(world: World, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"goal needs|not a number"):
        world.goals.add(replace(Goal(description="d", target_metrics={"m": 1.0}), **changes))


async def test_one_that_a_person_cancelled_stays_away_until_its_condition_was_over(world: World) -> None:
    world.gauge(VAR, "disk.used_percent", 92.0)
    (made,) = await world.turn()
    assert world.goals.cancel(made.id).state is GoalState.CANCELLED
    assert [goal.id for goal in await world.turn()] == [made.id]
    world.gauge(VAR, "disk.used_percent", 50.0)
    await world.turn()
    world.gauge(VAR, "disk.used_percent", 92.0)
    assert len(await world.turn()) == 2
    with pytest.raises(KeyError):
        world.goals.cancel(999)


async def test_it_goes_on_after_a_restart(world: World) -> None:
    world.gauge(VAR, "disk.used_percent", 92.0)
    (made,) = await world.turn()
    again = World()
    again.goals.restore([made], closed={GoalState.COMPLETED: 7})
    again.gauge(VAR, "disk.used_percent", 86.0)
    (goal,) = await again.turn()
    assert (goal.id, goal.progress, goal.state) == (made.id, 0.5, GoalState.IN_PROGRESS)
    assert again.goals.status().completed == 7
    assert again.goals.add(Goal(description="d", target_metrics={"m": 1.0})).id == made.id + 1


async def test_the_daemons_own_cost_counts_when_it_lasts(world: World) -> None:
    for cost in (None, 0.5, 0.5, 0.05, *[0.5] * 9):
        world.cost = cost
        assert await world.turn() == ()
    (made,) = await world.turn()
    assert (made.key, made.baseline) == ("daemon", {"daemon/cpu_percent": 0.5})


async def test_only_as_many_as_there_is_room_for_and_none_when_switched_off() -> None:
    world = World(Settings(goals=GoalSettings(max_open=1)))
    world.gauge(Subject("disk:/srv"), "disk.used_percent", 86.0)
    world.gauge(VAR, "disk.used_percent", 99.0)
    assert [goal.key for goal in await world.turn()] == ["disk:/var"]
    world.monitoring.settings = Settings(goals=GoalSettings(enabled=False))
    ended = await world.turn()
    assert [goal.result for goal in ended] == ["goals are switched off"]


async def test_memory_counts_when_it_is_high_for_long(world: World) -> None:
    world.gauge(HOST, "memory.percent", 97.0)
    for _ in range(30):
        await world.look()
    assert await world.turn(after_s=10.0) == ()
    for _ in range(40):
        await world.look()
    assert [goal.key for goal in await world.turn(after_s=10.0)] == ["memory"]
