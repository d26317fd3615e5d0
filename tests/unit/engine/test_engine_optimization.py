"""The daemon's own cost: measured, lowered where it is safe, verified, taken back. Real runner and sampler."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

import pytest

from autonomyd.engine.experiments import own_runner
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.optimization import SelfOptimizationSystem
from autonomyd.host.process_facts import ProcessFacts
from autonomyd.model.candidate import CandidateState, OptimizationCandidate, OptimizationType
from autonomyd.model.fix import Fix, FixState
from autonomyd.model.health import Severity
from autonomyd.model.issue import Finding, IssueType
from autonomyd.model.plan import Plan
from autonomyd.model.reading import MetricSpec, ReadingState
from autonomyd.model.subject import Subject, service_subject
from autonomyd.monitor.probe import Look
from autonomyd.settings.control import CommandControl
from autonomyd.settings.optimization import OptimizationSettings
from autonomyd.settings.root import Settings
from autonomyd.settings.service import CheckSettings, ServiceSettings

WEB = service_subject("web")
TURN_S = 300.0
OWN = ProcessFacts(
    pid=1, ppid=0, name="autonomyd", state="S", cpu_s=10.0, reaped_cpu_s=0.0, threads=1, start_ticks=1,
    rss_bytes=50 * 1048576, started_at=0.0,
)  # fmt: skip


@dataclass
class ManualClock:
    at: float = 1000.0

    def monotonic(self) -> float:
        return self.at

    def wall(self) -> float:
        return 1_760_000_000.0 + self.at

    def advance(self, seconds: float) -> None:
        self.at += seconds


@dataclass
class Answer:
    metrics: ClassVar = (MetricSpec(name="m"),)
    state: ReadingState = ReadingState.OK

    def look_now(self) -> Look:
        return Look(state=self.state, message="" if self.state is ReadingState.OK else "no")


@dataclass
class World:
    """Two checks of one service (one with an interval of its own), a process that uses CPU as the test says."""

    settings: Settings
    clock: ManualClock = field(default_factory=ManualClock)
    cpu_percent: float = 0.5
    paused: bool = False
    told: list[OptimizationCandidate] = field(default_factory=list)
    fixes: list[Fix] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.own = OWN
        self.monitoring = SelfMonitoringSystem(self.settings, clock=self.clock)
        self.monitoring.unwatch("host")
        self.answers = {"web.plain": Answer(), "web.own": Answer()}
        for name, every_s in (("web.plain", 10.0), ("web.own", 5.0)):
            self.monitoring.watch(name, WEB, self.answers[name], kind="tcp", every_s=every_s)
        self.run = own_runner(self.monitoring)
        self.system = SelfOptimizationSystem(
            monitoring=self.monitoring,
            apply=self.apply,
            paused=lambda: self.paused,
            on_candidate=self.told.append,
            own_process=lambda: self.own,
        )

    async def apply(self, plan: Plan) -> Fix:
        fix = await self.run(plan)
        self.fixes.append(fix)
        return fix

    def every(self, name: str = "web.plain") -> float:
        return self.monitoring.sampler.probes[name].every_s

    async def pass_time(self, seconds: float) -> None:
        """Let the sampler take every look of the span."""
        end = self.clock.at + seconds
        while self.clock.at < end:
            self.clock.advance(1.0)
            await self.monitoring.tick()
        self.own = replace(self.own, cpu_s=self.own.cpu_s + seconds * self.cpu_percent / 100.0)

    async def turn(self) -> None:
        await self.pass_time(TURN_S)
        await self.system.tick()

    async def until_applied(self) -> None:
        await self.turn()
        for entry in self.monitoring.sampler.probes.values():
            entry.looks, entry.spent_s = 400, 0.4
        for _ in range(20):
            if self.every() > 10.0:
                return
            await self.turn()
        raise AssertionError("nothing was applied")

    def open_issue(self, subject: Subject = WEB) -> None:
        finding = Finding(
            type=IssueType.SERVICE_DOWN, subject=subject, metric="process", severity=Severity.CRITICAL, summary="gone"
        )
        found, _ = self.monitoring.book.report(finding, wall_now=self.clock.wall())
        self.system.on_issue(found.subject)


def settings(**optimization: object) -> Settings:
    checks = (CheckSettings(type="tcp", name="plain"), CheckSettings(type="tcp", name="own", every_s=5.0))
    control = CommandControl(type="command", start=("true",), stop=("true",), match="web")
    return Settings(
        services={"web": ServiceSettings(control=control, checks=checks)},
        optimization=OptimizationSettings(**optimization),  # type: ignore[arg-type]
    )


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World(settings())
    yield made
    await made.system.close()


async def test_it_can_be_used_alone() -> None:
    system = SelfOptimizationSystem()
    await system.tick()
    status = system.status()
    assert status["applied"] == 0
    assert status.memory_mb is not None
    assert status.memory_mb > 1.0


async def test_it_measures_this_process(world: World) -> None:
    await world.system.tick()
    assert world.system.status().cost_percent is None
    await world.turn()
    assert world.system.status().cost_percent == pytest.approx(0.5)
    assert world.system.status().memory_mb == 50.0


async def test_what_costs_nothing_is_left_alone(world: World) -> None:
    world.cpu_percent = 0.05
    for _ in range(20):
        await world.turn()
    assert world.fixes == []
    assert world.system.status().last == "own cost 0.05 % of a core, target 0.1 %: nothing to gain"


async def test_a_calm_probe_is_slowed_down_step_by_step_and_verified(world: World) -> None:
    await world.until_applied()
    assert world.clock.at - 1000.0 > 3 * TURN_S, "not before it has been calm for long"
    assert (world.every(), world.every("web.own")) == (20.0, 5.0)
    assert world.fixes[0].state is FixState.COMMITTED
    assert world.system.status().applied == 1
    await world.turn()
    status = world.system.status()
    assert (status.verified, status.applied) == (1, 1)
    assert world.every() == 30.0, "the next step, to the bound"
    await world.turn()
    await world.turn()
    assert world.every() == 30.0
    assert [each.state for each in world.told] == [
        CandidateState.APPLIED,
        CandidateState.VERIFIED,
        CandidateState.APPLIED,
        CandidateState.VERIFIED,
    ]
    assert world.told[1].measured_metric is not None
    assert world.told[1].measured_metric < 0.6 * world.told[1].current_metric


async def test_an_issue_brings_the_configured_interval_back_at_once(world: World) -> None:
    await world.until_applied()
    await world.turn()
    assert world.every() == 30.0
    world.open_issue()
    await world.system.close()
    assert world.every() == 30.0, "the task was cancelled before it ran"
    world.open_issue()
    for task in list(world.system._tasks):
        await task
    assert world.every() == 10.0
    assert world.system.status().rolled_back == 1
    assert "an issue on service:web" in world.told[-1].message


async def test_trouble_is_looked_at_more_often_where_that_is_cheap(world: World) -> None:
    world.cpu_percent = 0.05
    await world.turn()
    world.answers["web.plain"].state = ReadingState.FAILED
    await world.turn()
    assert (world.every(), world.every("web.own")) == (5.0, 5.0)
    for _ in range(4):
        await world.turn()
    assert world.every() == 10.0, "old trouble is no news"
    world.answers["web.plain"].state = ReadingState.OK
    await world.turn()
    assert world.every() == 10.0


async def test_harm_takes_the_change_back_and_it_is_not_tried_again_soon(world: World) -> None:
    await world.until_applied()
    entry = world.monitoring.sampler.probes["web.plain"]
    entry.unknowns += 1
    await world.turn()
    assert world.every() == 10.0
    assert (world.told[-1].state, world.told[-1].message) == (
        CandidateState.ROLLED_BACK,
        "taken back: 1 more unknowns since",
    )
    for _ in range(15):
        await world.turn()
    assert world.every() == 10.0


async def test_a_change_without_effect_is_taken_back(world: World) -> None:
    await world.until_applied()
    entry = world.monitoring.sampler.probes["web.plain"]
    entry.looks += 15
    await world.turn()
    assert world.every() == 10.0
    assert "did not help enough" in world.told[-1].message


async def test_a_pause_stops_it(world: World) -> None:
    await world.until_applied()
    world.paused = True
    world.open_issue()
    await world.turn()
    assert world.every() == 20.0
    assert world.system.status().last == "paused"
    world.paused = False
    await world.turn()
    assert world.every() <= 10.0


async def test_a_new_configuration_wins(world: World) -> None:
    await world.until_applied()
    world.monitoring.sampler.set_interval("web.plain", 10.0)
    await world.turn()
    assert world.told[1].message == "taken back: the configuration set the interval anew"


async def test_switched_off_it_takes_everything_back(world: World) -> None:
    await world.until_applied()
    world.monitoring.settings = settings(enabled=False)
    await world.turn()
    assert world.every() == 10.0
    assert world.system.status().last == "switched off"


async def test_what_the_last_run_left_is_settled(world: World) -> None:
    left = OptimizationCandidate(
        id=4, component="host", optimization_type=OptimizationType.PROBE_INTERVAL, current_metric=1.0,
        expected_improvement=0.5, cost=1.0, confidence=0.9, state=CandidateState.APPLIED,
    )  # fmt: skip
    world.system.restore([left, replace(left, id=5, state=CandidateState.VERIFIED)])
    assert [(each.id, each.state) for each in world.told] == [(4, CandidateState.ROLLED_BACK)]


# --- what the embedding program proposes -------------------------------------------------------------------------


@dataclass
class Cache:
    """Something of the program's own with a cost that its change lowers to `after`."""

    after: float
    cost: float = 100.0
    broken: str = ""
    calls: list[str] = field(default_factory=list)

    async def apply(self) -> None:
        self._call("apply")
        self.cost = self.after

    async def undo(self) -> None:
        self._call("undo")
        self.cost = 100.0

    async def measure(self) -> float:
        self._call("measure")
        return self.cost

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name == self.broken:
            raise OSError("no route")

    def register(self, system: SelfOptimizationSystem, **changes: object) -> OptimizationCandidate:
        candidate = OptimizationCandidate(
            component="cache", optimization_type="bigger_cache", current_metric=100.0, expected_improvement=0.4,
            cost=1.0, confidence=0.9,
        )  # fmt: skip
        made = replace(candidate, **changes)  # type: ignore[arg-type]
        return system.register(made, apply=self.apply, measure=self.measure, undo=self.undo)


async def test_a_candidate_of_the_program_is_applied_and_verified(world: World) -> None:
    world.cpu_percent = 0.0
    cache = Cache(after=60.0)
    assert cache.register(world.system).state is CandidateState.PROPOSED
    assert world.system.status().proposed == 1
    await world.turn()
    assert cache.calls == ["measure", "apply"]
    await world.turn()
    assert cache.calls == ["measure", "apply", "measure"]
    assert [each.state for each in world.told] == [
        CandidateState.PROPOSED,
        CandidateState.APPLIED,
        CandidateState.VERIFIED,
    ]
    assert (world.system.status().verified, world.told[-1].measured_metric) == (1, 60.0)
    cache.register(world.system)


async def test_one_that_does_not_help_is_undone(world: World) -> None:
    cache = Cache(after=95.0)
    cache.register(world.system)
    await world.turn()
    await world.turn()
    assert (cache.calls[-1], cache.cost) == ("undo", 100.0)
    assert world.told[-1].state is CandidateState.ROLLED_BACK


@pytest.mark.parametrize(
    ("broken", "state", "undone"),
    [("measure", CandidateState.REJECTED, False), ("apply", CandidateState.ROLLED_BACK, True)],
)
async def test_one_that_raises_harms_nobody(world: World, broken: str, state: CandidateState, undone: bool) -> None:
    cache = Cache(after=1.0, broken=broken)
    cache.register(world.system)
    await world.turn()
    assert world.told[-1].state is state
    assert "OSError: no route" in world.told[-1].message
    assert ("undo" in cache.calls) is undone


async def test_one_that_is_not_sure_enough_waits_and_wrong_figures_are_refused(world: World) -> None:
    cache = Cache(after=1.0)
    cache.register(world.system, confidence=0.69)
    await world.turn()
    assert cache.calls == []
    with pytest.raises(ValueError, match="already"):
        cache.register(world.system)
    with pytest.raises(ValueError, match="cost above 0"):
        cache.register(world.system, component="other", cost=0.0)
