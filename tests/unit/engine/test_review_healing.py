"""Races between healing, a person and the configuration: what was decided must still be right when it is done."""

import asyncio
import threading

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.aio.dependency import Dependencies
from autonomyd.analyze.detectors.streak import StreakDetector
from autonomyd.engine import cleaning
from autonomyd.engine.bringup import bring_up
from autonomyd.engine.cleaning import Cleaner
from autonomyd.engine.healing import SelfHealingSystem
from autonomyd.engine.history import FixHistory
from autonomyd.engine.managed import ManagedCheck
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.pause import PauseSwitch
from autonomyd.engine.services import ServiceKeeper
from autonomyd.engine.situation import SituationReader
from autonomyd.engine.verify import Verifier
from autonomyd.engine.watching import ServiceWatch
from autonomyd.execute.runner import Runner, Validation
from autonomyd.execute.steps.custom import CallHandler
from autonomyd.execute.steps.services import RestartHandler, StartHandler, StopHandler
from autonomyd.model.action import HealingAction
from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import CleanupPreview
from autonomyd.model.fix import FixState, Outcome
from autonomyd.model.health import Severity
from autonomyd.model.issue import Finding, IssueState, IssueType
from autonomyd.model.plan import Plan, Risk
from autonomyd.model.reading import Reading, ReadingState
from autonomyd.model.service import Intent, ServiceState
from autonomyd.model.step import CallStrategy, RestartService, StartService, StopService
from autonomyd.model.subject import Subject, service_subject
from autonomyd.settings.cleanup import CleanupSettings
from autonomyd.settings.dependencies import DependencySettings
from autonomyd.settings.root import Settings
from autonomyd.settings.service import CheckSettings
from autonomyd.testing import FakeControl, service_settings

HEALED = Validation(outcome=Outcome.HEALED, message="well")
UNVERIFIED = Validation(outcome=Outcome.UNVERIFIED, message="could not tell")


class Bench:
    """Healing, keeper and runner joined as in the system, over controls that live in memory."""

    def __init__(self):
        self.clock, self.controls, self.watches, self.validation = SystemClock(), {}, {}, HEALED
        self.gate = asyncio.Event()
        self.gate.set()
        self.validating = asyncio.Event()
        self.monitoring = SelfMonitoringSystem(Settings(), clock=self.clock, on_issue=self._issue)
        self.keeper = ServiceKeeper(
            clock=self.clock, make_control=lambda name, settings: self.controls[name], on_state=self._state
        )
        self.history, self.pause = FixHistory(self.clock), PauseSwitch(self.clock)
        self.verifier = Verifier(
            clock=self.clock, monitoring=self.monitoring, keeper=self.keeper, watch_of=self.watches.get,
            verify_s=lambda: 5.0,
        )  # fmt: skip
        self.healing: SelfHealingSystem | None = None
        self.runner = Runner(
            clock=self.clock,
            handlers={
                StartService: StartHandler(self.keeper), StopService: StopHandler(self.keeper),
                RestartService: RestartHandler(self.keeper),
                CallStrategy: CallHandler(self._call),
            },
            journal=self._journal, validate=self._validate, next_id=iter(range(1, 1000)).__next__,
            on_state=self._fix_state,
        )  # fmt: skip
        self.healing = SelfHealingSystem(
            self.monitoring,
            situations=SituationReader(
                clock=self.clock, settings=Settings, keeper=self.keeper, history=self.history, pause=self.pause,
                cleaner=Cleaner(tuple), cpu_of=lambda subject: None,
            ),
            runner=self.runner, history=self.history, pause=self.pause, hold=self.keeper.held,
        )  # fmt: skip
        self.healing.after_fix = self._after

    async def add(self, name="web", *checks, pid=10, **more):
        self.controls[name] = FakeControl(pid=pid)
        service = await self.keeper.add(name, service_settings(*checks, **more), Intent.STARTED)
        outside = Dependencies(self.clock, limits_of=lambda family: DependencySettings())
        self.watches[name] = ServiceWatch(service, self.monitoring, self.keeper, outside)
        self.watches[name].state_changed(ServiceState.UNKNOWN)
        return service

    def issues(self):
        return self.monitoring.book.open_issues()

    def limit(self, name="web"):
        finding = Finding(
            type=IssueType.RESOURCE_EXHAUSTION, subject=service_subject(name), metric="rss_mb",
            severity=Severity.WARNING, summary="too much", value=2.0, threshold=1.0, certain=True,
        )  # fmt: skip
        return self.monitoring.book.report(finding, wall_now=self.clock.wall())[0]

    async def settle(self):
        while self.healing._tasks:
            await asyncio.wait(list(self.healing._tasks.values()), timeout=5.0)

    def request(self, *steps, name="web"):
        plan = Plan(
            strategy="stop", cause=Cause.REQUESTED, steps=steps, confidence=100.0, risk=Risk.LOW, disruptive=True,
            reversible=True, service=name,
        )  # fmt: skip
        return asyncio.create_task(self.runner.run(plan, actor="uid=0"))

    async def _call(self, name):
        return await self.healing.call_custom(name)

    def _fix_state(self, fix):
        self.healing.on_fix_state(fix)

    async def _journal(self, fix, moves):
        await asyncio.sleep(0)

    async def _validate(self, plan, since):
        self.validating.set()
        await self.gate.wait()
        if isinstance(self.validation, Exception):
            raise self.validation
        return self.validation or await self.verifier.validate(plan, since)

    def _state(self, service, before):
        watch = self.watches.get(service.name)
        if watch is not None:
            watch.state_changed(before)

    def _issue(self, issue, transition):
        if self.healing is not None and issue.state is IssueState.RESOLVED:
            self.healing.forget(issue)

    def _after(self, issue):
        watch = self.watches.get(issue.subject.removeprefix("service:"))
        if watch is not None:
            watch.tell_again()


@pytest.fixture
def bench():
    return Bench()


async def test_two_issues_of_one_service_are_one_restart(bench):
    service = await bench.add("web", pid=10)
    bench.controls["web"].die(1)
    bench.monitoring.book.report(
        Finding(
            type=IssueType.SERVICE_UNHEALTHY, subject=service.subject, metric="checks", severity=Severity.CRITICAL,
            summary="x",
        ),
        wall_now=bench.clock.wall(),
    )  # fmt: skip
    assert len(bench.issues()) == 2
    bench.gate.clear()
    await bench.healing.tick()
    assert len(bench.healing._tasks) == 1
    bench.gate.set()
    await bench.settle()
    assert bench.controls["web"].acts == ["start"]


async def test_a_fix_that_waited_behind_a_persons_stop_does_not_start_the_service(bench):
    service = await bench.add("web")
    bench.gate.clear()
    service.intent = Intent.STOPPED
    stop = bench.request(StopService(service="web"))
    await bench.validating.wait()
    service.intent = Intent.STARTED
    bench.keeper.update(service)
    issue = bench.issues()[0]
    heal = asyncio.create_task(bench.healing.heal(issue))
    await asyncio.sleep(0)
    service.intent = Intent.STOPPED
    bench.gate.set()
    await asyncio.gather(stop, heal)
    assert bench.controls["web"].acts == ["stop"]
    bench.keeper.update(service)
    assert (service.state, bench.issues()) == (ServiceState.STOPPED, ())


async def test_a_fix_planned_before_a_pause_is_not_carried_out_after_it(bench):
    await bench.add("web")
    bench.controls["web"].die(1)
    await bench.healing.consider(bench.issues()[0])
    bench.pause.pause(for_s=None, reason="", actor="uid=0")
    await bench.settle()
    assert bench.controls["web"].acts == []
    assert bench.issues()[0].state is IssueState.DIAGNOSED


async def test_the_second_step_of_a_fix_respects_a_stop_that_came_between(bench):
    service = await bench.add("web")
    bench.validation = None
    original = bench.keeper.stop

    async def stop_then_person(name, *, force=False):
        words = await original(name, force=force)
        service.intent = Intent.STOPPED
        return words

    bench.keeper.stop = stop_then_person
    fix = await bench.request(StopService(service="web", force=True), StartService(service="web"))
    assert bench.controls["web"].acts == ["kill"]
    assert fix.outcome is Outcome.UNVERIFIED


async def test_a_validation_that_raises_ends_the_fix_and_is_not_repeated_at_once(bench):
    await bench.add("web")
    bench.validation = KeyError("folder:/var")
    bench.controls["web"].die(1)
    issue = bench.issues()[0]
    fix = await bench.healing.heal(issue)
    assert (fix.state, fix.outcome) == (FixState.COMMITTED, Outcome.UNVERIFIED)
    assert len(bench.history.past) == 1


async def test_a_fix_that_breaks_off_is_not_planned_again_at_once(bench):
    await bench.add("web")
    bench.controls["web"].die(1)

    async def broken(*_args, **_more):
        raise OSError("no journal")

    bench.runner.run = broken
    await bench.healing.tick()
    await bench.settle()
    assert await bench.healing.tick() > 1.0
    assert not bench.healing._tasks


async def test_an_issue_whose_fix_could_not_be_verified_resolves_when_the_service_is_up(bench):
    service = await bench.add("web")
    bench.validation = UNVERIFIED
    bench.controls["web"].die(1)
    await bench.healing.heal(bench.issues()[0])
    await asyncio.sleep(0)
    assert service.state is ServiceState.UP
    assert bench.issues() == ()


async def test_a_registered_strategy_gets_the_issue_that_it_is_called_for(bench):
    seen = []

    async def tune(issue):
        seen.append(issue.subject)
        return HealingAction(success=True, description="tuned")

    bench.healing.healing_strategies[IssueType.HIGH_LATENCY] = tune
    made = [
        bench.monitoring.book.report(
            Finding(
                type=IssueType.HIGH_LATENCY, subject=Subject(name), metric="ms", severity=Severity.WARNING, summary="s"
            ),
            wall_now=0.0,
        )[0]
        for name in ("a", "b")
    ]
    bench.validation = UNVERIFIED
    await bench.healing.heal(made[1])
    assert seen == ["b"]


async def test_an_act_that_raises_something_unforeseen_leaves_the_service_down_not_starting(bench):
    service = await bench.add("web", pid=None)

    async def broken():
        raise RuntimeError("can't start new thread")

    bench.controls["web"].start = broken
    with pytest.raises(RuntimeError):
        await bench.keeper.start("web")
    assert (service.operating, service.state) == ("", ServiceState.DOWN)


async def test_held_twice_is_held_until_both_let_go(bench):
    service = await bench.add("web")
    with bench.keeper.held("web"):
        with bench.keeper.held("web"):
            pass
        bench.controls["web"].die(1)
        assert service.state is ServiceState.STARTING
    assert service.state is ServiceState.DOWN


async def test_a_child_that_a_person_stopped_while_it_waited_for_its_parent_is_not_brought_up(bench):
    parent = await bench.add("cache", pid=None)
    bench.controls["web"] = FakeControl()
    child = await bench.keeper.add(
        "web", service_settings(depends_on=("cache",)), Intent.STARTED, hold=lambda service: True
    )
    bringing = asyncio.create_task(bring_up(bench.keeper, bench.runner, ("web",), bench.pause))
    await asyncio.sleep(0)
    child.intent = Intent.STOPPED
    bench.controls["cache"].appear()
    assert parent.state is ServiceState.UP
    await bringing
    assert bench.controls["web"].acts == []
    assert child.state is ServiceState.STOPPED


async def test_a_look_that_began_before_the_restart_verifies_nothing(bench):
    service = await bench.add("web")
    check = ManagedCheck(name="c", probe="web.c", settings=CheckSettings(type="c"), streak=StreakDetector(2))
    service.checks["c"] = check
    now = bench.clock.monotonic()
    service.begin(now)
    for duration_s in (2.0, 0.0):
        reading = Reading(
            probe="web.c", subject=service.subject, state=ReadingState.OK, at=now + 0.5, duration_s=duration_s
        )
        service.hear(check, reading, now + 0.5)
    assert check.passes == 1
    assert service.verified(samples=1)
    assert not service.verified(samples=1, since=now + 1.0)


async def test_a_folder_that_does_not_answer_holds_up_nobody_and_collects_no_threads(monkeypatch):
    release, begun = threading.Event(), []

    def hangs(cleanup):
        begun.append(1)
        release.wait(10.0)
        return CleanupPreview(root=cleanup.root, files=(), total_bytes=0)

    monkeypatch.setattr(cleaning, "LOOK_TIMEOUT_S", 0.02)
    cleaner = Cleaner(lambda: (CleanupSettings(root="/var/log/x", quota_mb=10.0),))
    monkeypatch.setattr(cleaner, "_preview", hangs)
    for _ in range(2):
        found = await cleaner.preview(Subject("folder:/var/log/x"))
        assert found is not None
        assert "could not be read" in found.incomplete
    assert len(begun) == 1
    release.set()
    await asyncio.wait(list(cleaner._looking.values()), timeout=5.0)


@pytest.mark.parametrize(("latency_ms", "outcome"), [(900.0, Outcome.INEFFECTIVE), (90.0, Outcome.HEALED)])
async def test_a_registered_strategy_against_latency_is_judged_by_the_latency(bench, latency_ms, outcome):
    service = await bench.add("web")
    check = ManagedCheck(name="http", probe="web.http", settings=CheckSettings(type="http"), streak=StreakDetector(2))
    service.checks["http"] = check
    slow = bench.monitoring.book.report(
        Finding(
            type=IssueType.HIGH_LATENCY, subject=service.subject, metric="http", severity=Severity.WARNING,
            summary="slow", value=900.0, threshold=500.0,
        ),
        wall_now=0.0,
    )[0]  # fmt: skip

    async def tune(issue):
        return HealingAction(success=True, description="tuned")

    bench.healing.healing_strategies[IssueType.HIGH_LATENCY] = tune
    bench.validation = None
    healing = asyncio.create_task(bench.healing.heal(slow))
    await bench.validating.wait()
    for _ in range(2):
        now = bench.clock.monotonic()
        reading = Reading(
            probe="web.http", subject=service.subject, state=ReadingState.OK, at=now, values={"latency_ms": latency_ms}
        )
        bench.keeper.hear(service, check, reading)
    fix = await healing
    assert fix.outcome is outcome
