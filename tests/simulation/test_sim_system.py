"""The whole system in virtual time, over services that are scripted: hours of faults, people, and deaths of the daemon.

Real are the assembly, the loops, the store with its file; SQLite runs in the loop's own thread, so that no real time
flows. A crash of the daemon drops everything that is not on disk."""

import asyncio
import os
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from autonomyd.engine import assembly, watching
from autonomyd.engine.monitoring import HOST_PROBE, MOUNTS_PROBE
from autonomyd.engine.system import AutonomousOperationSystem
from autonomyd.knowledge import database, vault
from autonomyd.model.fix import UNFINISHED_FIX_STATES, Outcome
from autonomyd.model.issue import IssueState
from autonomyd.model.reading import MetricSpec
from autonomyd.model.service import Intent, RunState, ServiceState
from autonomyd.monitor.probe import Look, failed, ok, unknown
from autonomyd.settings.load import make_settings
from autonomyd.settings.service import CheckSettings
from autonomyd.testing import FakeControl, LoopClock
from tests.boxes.in_loop import Connection, at_once

pytestmark = pytest.mark.looptime(resolution=1e-9, noop_cycles=12)

PARENTS = {"db": (), "app": ("db",), "web": ("app",)}
CHECKS = {"http": CheckSettings}
LIMIT = {"max": 3, "within_s": 300.0}
LATE_S = 1800.0
SEEDS = int(os.environ.get("AUTONOMYD_TEST_SEEDS", "4"))


class Script(FakeControl):
    """A service that outlives the daemon. Each act on it is judged as it begins."""

    def __init__(self, name: str, house: "House") -> None:
        super().__init__(pid=100_000 * (1 + list(PARENTS).index(name)), start_s=0.3, stop_s=0.2)
        self.name, self._house = name, house
        self.hung = False

    async def start(self) -> Any:
        self._house.judge(self, "start")
        run = await super().start()
        self.hung = False
        return run

    async def stop(self, *, force: bool = False) -> Any:
        self._house.judge(self, "stop")
        return await super().stop(force=force)

    async def restart(self) -> Any:
        self._house.judge(self, "restart")
        run = await super().restart()
        self.hung = False
        return run

    def recover(self) -> None:
        """The faults of a process that runs are over."""
        self.hung = False
        if self.observe().state is RunState.FROZEN:
            self.thaw()


class Check:
    """Asks the script, as http would."""

    metrics = (MetricSpec(name="latency_ms", unit="ms"),)

    def __init__(self, script: Script) -> None:
        self._script = script

    def look_now(self) -> Look:
        run = self._script.observe().state
        if run is RunState.GONE:
            return failed("connection refused")
        return failed("no answer") if self._script.hung or run is RunState.FROZEN else ok({"latency_ms": 1.0})


class Process:
    """Stands in for /proc: it knows its script by the pid."""

    metrics = (MetricSpec(name="cpu_percent", unit="%"),)
    frozen = False

    def __init__(self, pid_of: Any, scripts: dict[str, Script]) -> None:
        self._pid_of, self._scripts = pid_of, scripts

    def pids(self) -> tuple[int, ...]:
        return ()

    def look_now(self) -> Look:
        pid = self._pid_of()
        script = next((each for each in self._scripts.values() if each.observe().pid == pid), None)
        if pid is None or script is None:
            return unknown("it has no process that is known")
        self.frozen = script.observe().state is RunState.FROZEN
        return ok({"cpu_percent": 0.0 if self.frozen or script.hung else 5.0})


class Nothing:
    metrics = ()

    def look_now(self) -> Look:
        return ok()


class House:
    """The machine: services, the disk, and one daemon after another."""

    def __init__(self, folder: Path, clock: LoopClock) -> None:
        self.folder, self.clock = folder, clock
        self.scripts = {name: Script(name, self) for name in PARENTS}
        self.system: AutonomousOperationSystem
        self.wrong: list[str] = []
        self.paused_at = 0.0
        self.told: dict[int, Outcome] = {}
        self.seen: set[int] = set()
        self.acts: list[tuple[str, int, float]] = []
        services = {
            name: {
                "control": {"type": "process", "command": ["x"]},
                "depends_on": parents,
                "checks": [{"type": "http", "name": name, "every_s": 1.0, "timeout_s": 0.5}],
                "restart": LIMIT,
            }
            for name, parents in PARENTS.items()
        }
        self.settings = make_settings(
            {
                "daemon": {"state_dir": str(folder)},
                "healing": {"park_retry_s": 200.0, "acts_per_hour_service": 1000, "acts_per_hour_host": 3000},
                "services": services,
            },
            checks=CHECKS,
        )

    async def begin(self) -> None:
        self.system = AutonomousOperationSystem(self.settings, clock=self.clock)
        self.system.monitoring.unwatch(HOST_PROBE)
        self.system.monitoring.unwatch(MOUNTS_PROBE)
        await self.system.start()

    async def end(self) -> None:
        await self.system.stop()

    async def crash(self) -> None:
        """All that is not on the disk is gone, at once."""
        system = self.system
        broken_off = {fix.id for fix in system.parts.runner.running.values()}
        self.acts = [act for act in self.acts if act[1] not in broken_off]  # they count once they are settled
        store = system.parts.records.store
        system.parts.records.attached = False
        store._closed = True
        if store._timer is not None:
            store._timer.cancel()
        assert store._vault.database is not None
        await store._vault.database.close()
        for script in self.scripts.values():
            script._on_change = lambda run: None
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        assert system._lock is not None
        system._lock.release()

    # --- what must hold --------------------------------------------------------------------------------------------

    def judge(self, script: Script, act: str) -> None:
        """An act on a service begins: whose is it, and may it be?"""
        system, name = self.system, script.name
        (fix,) = [fix for fix in system.parts.runner.running.values() if fix.plan.service in self._lines(name, fix)]
        with sqlite3.connect(self.folder / "state.db") as looked:
            rows = looked.execute("SELECT state FROM fixes WHERE id = ?", (fix.id,)).fetchall()
        looked.close()
        service = system.parts.keeper.services[name]
        if rows not in ([("applying",)], [("rolling_back",)]):
            self.wrong.append(f"{act} {name} before it was on the disk: {rows}")
        if fix.actor == "uid=1000":
            return
        if system.parts.pause.facts().paused and fix.started_at > self.paused_at:
            self.wrong.append(f"{act} {name} while paused")
        if service.intent is Intent.STOPPED:
            self.wrong.append(f"{act} {name}, which a person stopped")
        if fix.actor == "autonomyd":
            self.acts.append((name, fix.id, self.clock.monotonic()))

    def _lines(self, name: str, fix: Any) -> tuple[str, ...]:
        """The services whose fix may act on `name`: its own; what a person asks for also takes parents and children."""
        return tuple(PARENTS) if fix.actor == "uid=1000" else (name,)

    async def look(self) -> None:
        """What the daemon has told so far; what it told before must still be so."""
        records = self.system.parts.records
        issues = {issue.id: issue for issue in await records.issues.recent(limit=5000)}
        fixes = {fix.id: fix for fix in await records.fixes.recent(limit=5000)}
        assert self.seen <= issues.keys()
        assert {number: fixes[number].outcome for number in self.told} == self.told
        self.seen |= issues.keys()
        self.told |= {number: fix.outcome for number, fix in fixes.items() if fix.outcome is not None}
        assert self.wrong == []

    def tried_too_often(self) -> list[str]:
        """Services on which more fixes were begun than the limit allows, by the clock that nobody sets."""
        wrong = []
        for name in PARENTS:
            first: dict[int, float] = {}
            for each, fix, at in self.acts:
                if each == name:
                    first.setdefault(fix, at)
            begun = sorted(first.values())
            # a fix counts from its end on, which is some seconds after its begin
            wrong += [
                name for a, b in zip(begun, begun[LIMIT["max"] :], strict=False) if b - a < LIMIT["within_s"] - 30
            ]
        return wrong


@pytest.fixture
def make_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    house = House(tmp_path, LoopClock())
    monkeypatch.setattr(assembly, "make_control", lambda name, *_, **__: house.scripts[name])
    monkeypatch.setattr(watching, "check_probes", lambda: {"http": lambda made, clock: Check(house.scripts[made.name])})
    monkeypatch.setattr(watching, "ProcessProbe", lambda pid_of, clock: Process(pid_of, house.scripts))
    monkeypatch.setattr(watching, "MemoryProbe", lambda pids: Nothing())
    monkeypatch.setattr(database.aiosqlite, "connect", Connection)
    monkeypatch.setattr(vault.asyncio, "to_thread", at_once)
    return house


async def happen(house: House, rng: random.Random) -> None:
    """One thing: a fault, a person, or the end of the daemon."""
    name = rng.choice(list(PARENTS))
    script, system = house.scripts[name], house.system
    match rng.choice(
        ["die", "die", "die", "hang", "freeze", "stop", "start", "restart", "pause", "resume", "end", "crash", "crash"]
    ):
        case "die":
            script.die(rng.choice([0, 1, -9]))
        case "hang":
            script.hung = True
        case "freeze" if script.observe().state is RunState.RUNNING:
            script.freeze()
        case "pause":
            system.pause(for_s=rng.choice([5.0, 60.0, 400.0]), reason="storm", actor="uid=1000")
            house.paused_at = house.clock.wall()
        case "resume":
            system.pause(for_s=0.001, reason="over", actor="uid=1000")
        case "end":
            await house.end()
            await asyncio.sleep(rng.choice([0.0, 10.0]))
            await house.begin()
        case "crash":
            await house.crash()
            await asyncio.sleep(rng.choice([0.0, 10.0]))
            await house.begin()
        case ("stop" | "start" | "restart") as verb:
            asking = asyncio.create_task(system.requests.carry_out(verb, name, actor="uid=1000"))
            await asyncio.wait({asking}, timeout=rng.choice([0.1, 60.0]))


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_hours_of_faults_people_and_deaths_of_the_daemon(make_house: House, seed: int) -> None:
    random.seed(seed)
    rng, house = random.Random(seed), make_house
    await house.begin()
    for _ in range(60):
        await asyncio.sleep(rng.choice([0.02, 0.4, 1.5, 8.0, 45.0, 200.0]))
        await happen(house, rng)
        await house.look()
    house.system.pause(for_s=0.001, reason="over", actor="uid=1000")
    for script in house.scripts.values():
        script.recover()
    for name in PARENTS:
        await house.system.requests.carry_out("start", name, actor="uid=1000")
    await asyncio.sleep(LATE_S)
    await house.look()
    keeper, records = house.system.parts.keeper, house.system.parts.records
    assert {name: keeper.services[name].state for name in PARENTS} == dict.fromkeys(PARENTS, ServiceState.UP)
    assert house.system.monitoring.book.open_issues() == ()
    assert {issue.state for issue in await records.issues.recent(limit=5000)} <= {IssueState.RESOLVED}
    fixes = await records.fixes.recent(limit=5000)
    assert [fix.id for fix in fixes if fix.state in UNFINISHED_FIX_STATES or fix.outcome is None] == []
    assert house.tried_too_often() == []
    assert [loop.last_error for loop in house.system.supervisor.loops.values() if loop.failures] == []
    await house.end()
