"""A world in virtual time: the real monitoring, judges, planner, runner and keeper around services that are scripted.

Only the machine is missing: controls are FakeControl, checks ask the script, and nothing is stored."""

import asyncio
from contextlib import asynccontextmanager
from itertools import count

import pytest

from autonomyd.aio.dependency import Dependencies
from autonomyd.aio.supervisor import SupervisedLoop, Supervisor
from autonomyd.engine import watching
from autonomyd.engine.cleaning import Cleaner
from autonomyd.engine.healing import SelfHealingSystem
from autonomyd.engine.history import FixHistory
from autonomyd.engine.monitoring import HOST_PROBE, MOUNTS_PROBE, SelfMonitoringSystem
from autonomyd.engine.pause import PauseSwitch
from autonomyd.engine.requests import ServiceRequests
from autonomyd.engine.services import ServiceKeeper
from autonomyd.engine.situation import SituationReader
from autonomyd.engine.verify import Verifier
from autonomyd.engine.watching import ServiceWatch
from autonomyd.execute.runner import Runner
from autonomyd.execute.steps.services import RestartHandler, StartHandler, StopHandler
from autonomyd.model.service import Intent, RunState, ServiceState
from autonomyd.model.step import RestartService, StartService, StopService
from autonomyd.monitor.probe import failed, ok, unknown
from autonomyd.settings.dependencies import DependencySettings
from autonomyd.settings.root import Settings
from autonomyd.settings.service import CheckSettings
from autonomyd.testing import FakeControl, LoopClock, service_settings


class Scripted:
    """One service of the world: its control, and how its checks answer while it runs."""

    def __init__(self, name, *, runs=True, start_s=0.1, stop_s=0.1, dies_after_s=None):
        self.name = name
        self.control = FakeControl(pid=1000 if runs else None, start_s=start_s, stop_s=stop_s)
        self.hung = False
        self.silent = False
        self.stays_hung = False
        self.cpu = 5.0
        self.dies_after_s = dies_after_s

    def look(self):
        run = self.control.observe().state
        if self.silent:
            return unknown("no permission to look")
        if run is RunState.GONE:
            return failed("connection refused")
        if run is RunState.FROZEN or self.hung:
            return failed("no answer within 0.5 s")
        return ok({"latency_ms": 1.0})


class ScriptedCheck:
    kind = "scripted"
    cheap = True
    Options = CheckSettings
    metrics = ()

    def __init__(self, script):
        self._script = script

    def look_now(self):
        return self._script.look()


class ScriptedProcess:
    """Stands in for the probe that reads /proc."""

    metrics = ()
    frozen = False

    def __init__(self, script):
        self._script = script

    def pids(self):
        return ()

    def look_now(self):
        run = self._script.control.observe().state
        self.frozen = run is RunState.FROZEN
        if run in (RunState.GONE, RunState.UNKNOWN):
            return unknown("it has no process that is known")
        idle = self.frozen or (self._script.hung and self._script.cpu < 50.0)
        return ok({"cpu_percent": 0.0 if idle else self._script.cpu})


class World:
    """`fixes` are the finished ones, `decisions` what was decided (issue id, value) as it was decided."""

    def __init__(self, monkeypatch, **healing):
        self.clock = LoopClock()
        self.settings = Settings(healing=healing)
        self.scripts, self.watches, self.fixes, self.journal_rows = {}, {}, [], []
        self.decided, self.issue_moves, self.intents = lambda issue_id, value: None, [], {}
        self.supervisor, self.troubled = Supervisor(self.clock), set()
        self.pause = PauseSwitch(self.clock, on_change=lambda status: self.wake())
        self.history = FixHistory(self.clock)
        self.keeper = ServiceKeeper(
            clock=self.clock, make_control=lambda name, settings: self.scripts[name].control, on_state=self._state
        )
        self.monitoring = SelfMonitoringSystem(
            self.settings,
            clock=self.clock,
            on_issue=self._issue,
            service_states=lambda: {name: (each.state, each.intent) for name, each in self.keeper.services.items()},
        )
        self.monitoring.unwatch(HOST_PROBE)
        self.monitoring.unwatch(MOUNTS_PROBE)
        self._patch(monkeypatch)
        self._heal()

    def _patch(self, monkeypatch):
        by_control = lambda settings: self.scripts[settings.name.split("/")[0]]  # noqa: E731
        monkeypatch.setattr(
            watching,
            "check_probes",
            lambda: dict.fromkeys(("http", "tcp"), lambda made, clock: ScriptedCheck(by_control(made))),
        )
        monkeypatch.setattr(watching, "ProcessProbe", lambda pid_of, clock: ScriptedProcess(self._adding))
        monkeypatch.setattr(watching, "MemoryProbe", lambda pids: ScriptedCheck(self._adding))

    def _heal(self):
        ids = count(1)
        verifier = Verifier(
            clock=self.clock, monitoring=self.monitoring, keeper=self.keeper, watch_of=self.watches.get,
            verify_s=lambda: self.settings.healing.verify_s,
        )  # fmt: skip
        self.runner = Runner(
            clock=self.clock,
            handlers={
                StartService: StartHandler(self.keeper),
                StopService: StopHandler(self.keeper),
                RestartService: RestartHandler(self.keeper),
            },
            journal=self._journal,
            validate=verifier.validate,
            next_id=lambda: next(ids),
            on_state=self._fix_moved,
        )
        self.situations = SituationReader(
            clock=self.clock, settings=lambda: self.settings, keeper=self.keeper, history=self.history,
            pause=self.pause, cleaner=Cleaner(lambda: ()),
            cpu_of=lambda subject: self.monitoring.metrics.last(subject, "cpu_percent"),
        )  # fmt: skip
        self.healing = SelfHealingSystem(
            self.monitoring, situations=self.situations, runner=self.runner, history=self.history, pause=self.pause,
            hold=self.keeper.held, record=self._decision,
        )  # fmt: skip
        self.requests = ServiceRequests(keeper=self.keeper, runner=self.runner, records=self)

    # --- what is stored elsewhere --------------------------------------------------------------------------------

    async def _journal(self, fix, moves):
        await asyncio.sleep(0)
        self.journal_rows.append(fix)
        if fix.ended_at is not None:
            self.fixes.append(fix)

    def _fix_moved(self, fix):
        self.healing.on_fix_state(fix)

    def _decision(self, issue_id, value):
        self.decided(issue_id, value)

    async def intent(self, name, intent):
        self.intents[name] = intent

    def event(self, *args, **more):
        pass

    def _issue(self, issue, move):
        self.troubled.add(issue.subject)
        if move is not None:
            self.issue_moves.append((issue.id, move.before, move.after))
        self.wake()

    def _state(self, service, before):
        watch = self.watches.get(service.name)
        if watch is not None:
            watch.state_changed(before)
        script = self.scripts[service.name]
        if service.state is ServiceState.STARTING and not script.stays_hung:
            script.hung = False
        self.wake()

    def wake(self):
        loop = self.supervisor.loops.get("healing")
        if loop is not None:
            loop.wake.set()

    # --- the story -------------------------------------------------------------------------------------------------

    async def add(self, name, *, checks=("http", "tcp"), **more):
        settings_keys = {
            key: more.pop(key) for key in ("depends_on", "autonomy", "restart", "start_grace_s") if key in more
        }
        self.scripts[name] = self._adding = Scripted(name, **more)
        each = tuple(
            CheckSettings(type=kind, name=f"{name}/{kind}", every_s=1.0, timeout_s=0.5, failures=2) for kind in checks
        )
        service = await self.keeper.add(name, service_settings(**{"checks": each} | settings_keys), Intent.STARTED)
        outside = Dependencies(self.clock, limits_of=lambda family: DependencySettings())
        self.watches[name] = ServiceWatch(service, self.monitoring, self.keeper, outside)
        self.watches[name].state_changed(ServiceState.UNKNOWN)
        return self.scripts[name]

    @asynccontextmanager
    async def running(self):
        bodies = (("monitoring", self.monitoring.tick, 10.0), ("healing", self.healing.tick, 30.0))
        for name, body, interval_s in bodies:
            self.supervisor.add(SupervisedLoop(name=name, body=body, interval_s=interval_s))
        self.monitoring.sampler.changed = self.supervisor.loops["monitoring"].wake
        self.healing.wake = self.wake
        task = asyncio.create_task(self.supervisor.run())
        try:
            await self.supervisor.wait_ready()
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.healing.close(timeout_s=60.0)
            await self.monitoring.sampler.close()
        assert {loop.name: loop.last_error for loop in self.supervisor.loops.values() if loop.failures} == {}

    def state(self, name):
        return self.keeper.services[name].state

    def open_issues(self):
        return [(issue.type.value, issue.subject, issue.state.value) for issue in self.monitoring.book.open_issues()]

    async def until(self, true, *, within_s):
        """Let virtual time flow until `true()`; returns the seconds that took."""
        began = self.clock.monotonic()
        async with asyncio.timeout(within_s):
            while not true():
                await asyncio.sleep(0.05)
        return self.clock.monotonic() - began


@pytest.fixture
def world(monkeypatch):
    return lambda **healing: World(monkeypatch, **healing)
