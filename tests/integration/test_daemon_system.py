"""AutonomousOperationSystem as a library, with real services: loops that fail, start and stop, a clock that is set."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from autonomyd import AutonomousOperationSystem
from autonomyd.aio.clock import SystemClock
from autonomyd.host.lock import AlreadyRunning
from autonomyd.host.process import all_pids, environ_value, read_process
from autonomyd.model.service import Intent, ServiceState
from autonomyd.settings.load import make_settings
from autonomyd.settings.root import Settings

DEADLINE_S = 15.0
WAIT = "import signal\nwhile 1: signal.pause()"


class SetClock(SystemClock):
    """The machine's clock, whose wall time somebody sets."""

    def __init__(self) -> None:
        self.off_s = 0.0

    def wall(self) -> float:
        return super().wall() + self.off_s


LOOPS = ("monitoring_s", "healing_s", "goals_s", "optimization_s", "alerts_s", "insight_s")


def settings_of(folder: Path, **more: Any) -> Settings:
    web = {"control": {"type": "process", "command": [sys.executable, "-S", "-c", WAIT]}, "check_every_s": 0.2}
    tables = {
        "daemon": {"state_dir": str(folder / "state")},
        "intervals": dict.fromkeys(LOOPS, 0.5),
        "healing": {"cooldown": {"first_s": 0.1}},
        "services": {"web": web},
    }
    return make_settings(tables | more)


async def until(wanted: Callable[[], Any], what: str = "the condition") -> Any:
    deadline = time.monotonic() + DEADLINE_S
    while not (value := wanted()):
        assert time.monotonic() < deadline, f"{what} did not come true"
        await asyncio.sleep(0.01)
    return value


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[AutonomousOperationSystem]:
    made = AutonomousOperationSystem(settings_of(tmp_path), clock=SetClock())
    yield made
    await made.stop()
    marker = f"{made.state_dir}/"
    for pid in all_pids():  # a test may have stopped the system itself, and what it knew is forgotten then
        if (environ_value(pid, "AUTONOMYD_SERVICE") or "").startswith(marker):
            os.kill(pid, signal.SIGKILL)


def web(system: AutonomousOperationSystem) -> Any:
    return system.parts.keeper.services["web"]


async def die(system: AutonomousOperationSystem) -> float:
    """Kill the service; returns the seconds until another one is up and the issue is closed."""
    pid = web(system).run.pid
    began = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    await until(lambda: web(system).run.pid not in (None, pid) and web(system).state is ServiceState.UP, "up again")
    took_s = time.monotonic() - began
    await until(lambda: not system.monitoring.book.open_issues(), "the issue is closed")
    return took_s


async def test_what_is_so_already_is_no_fix_and_a_changed_command_is_told(
    system: AutonomousOperationSystem, tmp_path: Path
) -> None:
    async with system:
        await until(lambda: web(system).state is ServiceState.UP, "up")
        pid = web(system).run.pid
        assert await system.requests.carry_out("start", "web", actor="uid=7") == f"it runs already (pid {pid})"
        tables = settings_of(tmp_path).model_dump(exclude_unset=True)
        tables["services"]["web"]["control"]["env"] = {"NEW": "1"}
        assert await system.reload(make_settings(tables)) == ("web",)
        assert web(system).run.pid == pid
        status = await system.get_system_status()
        assert "service restart web" in status.services["web"].message
        await system.requests.carry_out("restart", "web", actor="uid=7")
        status = await system.get_system_status()
        assert status.services["web"].message == ""
        await system.requests.carry_out("stop", "web", actor="uid=7")
        assert await system.requests.carry_out("stop", "web", actor="uid=7") == "it was stopped already"
        events = await system.parts.records.read(lambda: system.parts.records.events.recent(limit=50), [])
        assert {"fix_ended", "configuration_reloaded"} <= {event.kind for event in events}


async def test_a_loop_that_raises_is_degraded_and_the_others_go_on(system: AutonomousOperationSystem) -> None:
    async def broken() -> None:
        raise ValueError("a fault of ours")

    system.parts.goals.tick = broken  # type: ignore[method-assign]
    await system.start()
    loops = system.supervisor.loops
    await until(lambda: loops["goals"].failures >= 2, "it was tried again")
    before = {name: loop.runs for name, loop in loops.items()}
    await until(lambda: all(loop.runs >= before[name] + 2 for name, loop in loops.items() if name != "goals"))
    status = await system.get_system_status()
    assert {name: loop.state for name, loop in status.loops.items()} == {
        loop: "degraded" if loop == "goals" else "running"
        for loop in ("monitoring", "healing", "goals", "optimization", "alerts", "insight")
    }
    assert status.loops["goals"].last_error == "ValueError: a fault of ours"
    await until(lambda: web(system).state is ServiceState.UP)
    assert await die(system) < 5.0


async def test_when_healing_itself_raises_it_is_taken_up_again(
    system: AutonomousOperationSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    await system.start()
    await until(lambda: web(system).state is ServiceState.UP)
    whole, calls = system.healing.consider, []

    async def once_broken(issue: Any) -> Any:
        calls.append(issue.id)
        if len(calls) < 3:
            raise RuntimeError("a fault of ours")
        return await whole(issue)

    monkeypatch.setattr(system.healing, "consider", once_broken)
    await die(system)
    assert system.supervisor.loops["healing"].failures == 2
    assert system.supervisor.loops["monitoring"].failures == 0


async def test_start_returns_ready_and_stop_may_be_called_twice(system: AutonomousOperationSystem) -> None:
    await system.start()
    assert all(loop.runs >= 1 for loop in system.supervisor.loops.values())
    await system.start()
    status = await system.get_system_status()
    assert status["health"]["status"]
    assert status["healing"]["resolved_issues"] == 0
    assert status["goals"]["completed"] == 0
    await until(lambda: web(system).state is ServiceState.UP)
    pid = web(system).run.pid
    await asyncio.gather(system.stop(), system.stop())
    await system.stop()
    facts = read_process(pid)
    assert facts is not None
    assert not facts.is_dead
    os.kill(pid, signal.SIGKILL)


async def test_two_systems_share_no_folder(system: AutonomousOperationSystem, tmp_path: Path) -> None:
    await system.start()
    second = AutonomousOperationSystem(settings_of(tmp_path))
    with pytest.raises(AlreadyRunning) as refused:
        await second.start()
    assert str(os.getpid()) in str(refused.value)
    await second.stop()
    assert (await system.get_system_status()).daemon.pid == os.getpid()


async def test_the_next_one_takes_over_what_runs(tmp_path: Path) -> None:
    async with AutonomousOperationSystem(settings_of(tmp_path)) as first:
        await until(lambda: web(first).state is ServiceState.UP)
        await die(first)
        pid = web(first).run.pid
    async with AutonomousOperationSystem(settings_of(tmp_path)) as second:
        await until(lambda: web(second).state is ServiceState.UP)
        assert web(second).run.pid == pid
        status = await second.get_system_status()
        assert status.healing.resolved_issues == 1
        assert status.healing.outcomes["healed"] >= 1
        await second.requests.carry_out("stop", "web", actor="test")
    async with AutonomousOperationSystem(settings_of(tmp_path)) as third:
        assert web(third).state is ServiceState.STOPPED
        assert web(third).intent is Intent.STOPPED
    facts = read_process(pid)
    assert facts is None or facts.is_dead


async def test_run_ends_on_a_signal(system: AutonomousOperationSystem) -> None:
    running = asyncio.create_task(system.run())
    await until(lambda: system.supervisor.loops and all(loop.runs for loop in system.supervisor.loops.values()))
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(running, DEADLINE_S)
    assert not system.started


async def test_a_start_that_fails_leaves_nothing_held(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    broken = AutonomousOperationSystem(settings_of(tmp_path))
    with pytest.raises(OSError, match="state"):
        await broken.start()
    await broken.stop()
    (tmp_path / "state").unlink()
    async with AutonomousOperationSystem(settings_of(tmp_path, services={})) as whole:
        assert whole.started


@pytest.mark.parametrize("jump_s", [-1e8, -3600.0, 3600.0, 1e8])
async def test_setting_the_clock_makes_nothing_early_or_late(system: AutonomousOperationSystem, jump_s: float) -> None:
    clock = system.clock
    assert isinstance(clock, SetClock)
    await system.start()
    await until(lambda: web(system).state is ServiceState.UP)
    system.pause(for_s=1.0, reason="across the jump", actor="test")
    paused_at = time.monotonic()
    clock.off_s = jump_s
    before = {name: loop.runs for name, loop in system.supervisor.loops.items()}
    os.kill(web(system).run.pid, signal.SIGKILL)
    await until(lambda: not system.parts.pause.facts().paused, "the pause is over")
    assert 0.9 <= time.monotonic() - paused_at < 4.0
    await until(lambda: web(system).state is ServiceState.UP, "healed after the pause")
    assert all(loop.runs > before[name] for name, loop in system.supervisor.loops.items() if name != "optimization")
    assert system.supervisor.loops["monitoring"].runs - before["monitoring"] < 100
    assert await die(system) < 5.0
    assert system.supervisor.stalled() == ()
    status = await system.get_system_status()
    assert {loop.state for loop in status.loops.values()} == {"running"}
    assert status.store.state == "ok"
