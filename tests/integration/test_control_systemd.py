"""The systemd control against a real systemd: this file runs itself once more inside a booted box."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.host.controls import ControlError, ErrorKind, ServiceControl, make_control
from autonomyd.host.controls.systemd import ASKED
from autonomyd.host.systemd import SystemdManager
from autonomyd.model.service import RunState, ServiceRun
from autonomyd.settings.control import SystemdControl
from tests.boxes.systemd import ROOT, SCRIPT, SOURCE_INSIDE, SystemdBox

INSIDE = "AUTONOMYD_TEST_INSIDE_BOX"
DEADLINE_S = 20.0
UNITS = Path("/run/systemd/system")
SLOW_TO_STOP = "ExecStart=/bin/sh -c 'trap \"sleep 0.2; exit 0\" TERM; while :; do sleep 0.05; done'"


@pytest.mark.real
def test_in_a_booted_systemd() -> None:
    possible = subprocess.run([str(SCRIPT), "check"], capture_output=True, text=True)
    if possible.returncode != 0:
        pytest.skip(possible.stderr.strip())
    box = SystemdBox(f"ctl-{os.getpid()}")
    binds = [f"{ROOT}:{SOURCE_INSIDE}", *([f"{sys.prefix}:{sys.prefix}"] if sys.prefix != sys.base_prefix else [])]
    try:
        box.start(*binds)
        options = "-q -s -p no:hypothesispytest -p no:cacheprovider -o asyncio_default_fixture_loop_scope=function"
        this = f"{Path(__file__).relative_to(ROOT)}::TestInside"
        command = f"cd {SOURCE_INSIDE} && exec {sys.executable} -B -m pytest {options} {this}"
        done = box.try_run("env", f"{INSIDE}=1", "sh", "-c", command)
        print(done.stdout)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    finally:
        box.stop()


async def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + DEADLINE_S
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.005)
    return value


def systemctl(*argv: str) -> None:
    subprocess.run(["systemctl", *argv], check=True)


class Bench:
    """Units and their controls over one shared connection."""

    def __init__(self) -> None:
        self.manager = SystemdManager()
        self.controls: list[ServiceControl] = []
        self.units: list[str] = []
        self.seen: list[ServiceRun] = []

    def unit(self, name: str, body: str) -> None:
        (UNITS / name).write_text(f"[Unit]\nDescription=Test {name}\n[Service]\n{body}\n")
        self.units.append(name)
        systemctl("daemon-reload")

    async def opened(self, unit: str, **more: Any) -> ServiceControl:
        settings = SystemdControl.model_validate({"type": "systemd", "unit": unit, **more})
        made = make_control(
            "web", settings, state_dir=Path("/run"), clock=SystemClock(), instance="test", systemd=self.manager
        )
        self.controls.append(made)
        await made.open(self.seen.append)
        return made


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    for control in made.controls:
        await control.close()
    await made.manager.close()
    for unit in made.units:
        subprocess.run(["systemctl", "kill", "--signal=KILL", unit], capture_output=True)
        systemctl("stop", unit)
        (UNITS / unit).unlink()


class TestInside:
    """Collected only inside the box."""

    __test__ = bool(os.environ.get(INSIDE))

    async def test_start_stop_and_restart(self, bench: Bench) -> None:
        bench.unit("one.service", "ExecStart=/bin/sleep infinity")
        control = await bench.opened("one.service")
        assert control.observe() == ServiceRun(state=RunState.GONE, message="inactive")
        first = await control.start()
        assert first.state is RunState.RUNNING
        assert first.pid is not None
        assert first.started_at == pytest.approx(time.time(), abs=5.0)
        second = await control.restart()
        assert second.pid not in (None, first.pid)
        assert (await control.stop()).state is RunState.GONE
        assert {RunState.RUNNING, RunState.GONE} <= {run.state for run in bench.seen}

    async def test_a_death_is_heard_by_signal(self, bench: Bench) -> None:
        bench.unit("two.service", "ExecStart=/bin/sleep infinity")
        control = await bench.opened("two.service")
        pid = (await control.start()).pid
        assert pid is not None
        begun = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        run = await until(lambda: (run := control.observe()).state is RunState.GONE and run)
        print(f"death to state: {(time.perf_counter() - begun) * 1e3:.1f} ms")
        assert run.message == "failed: signal, status 9"
        assert bench.seen[-1] == run
        assert (await control.start()).state is RunState.RUNNING

    async def test_a_frozen_main_process_shows(self, bench: Bench) -> None:
        bench.unit("ice.service", "ExecStart=/bin/sleep infinity")
        control = await bench.opened("ice.service")
        pid = (await control.start()).pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        await until(lambda: control.observe().state is RunState.FROZEN)
        assert (await control.stop()).state is RunState.GONE

    async def test_force_ends_a_stubborn_one_for_good(self, bench: Bench) -> None:
        bench.unit(
            "hard.service",
            "ExecStart=/bin/sh -c 'trap \"\" TERM; while :; do sleep 1; done'\nRestart=always\nTimeoutStopSec=600",
        )
        control = await bench.opened("hard.service")
        await control.start()
        assert (await control.stop(force=True)).state is RunState.GONE

    async def test_a_failing_start_tells_why(self, bench: Bench) -> None:
        bench.unit("bad.service", "Type=oneshot\nExecStart=/bin/false")
        control = await bench.opened("bad.service")
        with pytest.raises(ControlError, match=r"failed: exit-code, status 1") as caught:
            await control.start()
        assert caught.value.kind is ErrorKind.TRANSIENT

    async def test_the_start_limit_of_the_unit_does_not_stop_a_start(self, bench: Bench) -> None:
        bench.unit("often.service", "ExecStart=/bin/sleep infinity")
        control = await bench.opened("often.service")
        for _ in range(8):
            pid = (await control.start()).pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await until(lambda: control.observe().state is RunState.GONE)

    async def test_systemd_that_restarts_it_is_not_gone(self, bench: Bench) -> None:
        bench.unit("auto.service", "ExecStart=/bin/sleep infinity\nRestart=always\nRestartSec=600")
        control = await bench.opened("auto.service")
        pid = (await control.start()).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        run = await until(lambda: (run := control.observe()).state is RunState.STARTING and run)
        assert run.message.startswith("systemd restarts it")
        assert (await control.start()).state is RunState.RUNNING

    async def test_a_unit_that_appears_later_is_seen(self, bench: Bench) -> None:
        control = await bench.opened("late.service")
        assert control.observe() == ServiceRun(state=RunState.UNKNOWN, message="unit not found")
        with pytest.raises(ControlError) as caught:
            await control.start()
        assert caught.value.kind is ErrorKind.OPERATOR
        bench.unit("late.service", "ExecStart=/bin/sleep infinity")
        await until(lambda: control.observe().state is RunState.GONE)
        assert (await control.start()).state is RunState.RUNNING

    async def test_what_others_do_is_heard(self, bench: Bench) -> None:
        bench.unit("by-hand@x.service", "ExecStart=/bin/sleep infinity")
        control = await bench.opened("by-hand@x.service")
        await asyncio.to_thread(systemctl, "start", "by-hand@x.service")
        await until(lambda: control.observe().state is RunState.RUNNING)
        await asyncio.to_thread(systemctl, "stop", "by-hand@x.service")
        await until(lambda: control.observe().state is RunState.GONE)

    async def test_a_stop_by_somebody_else_is_asked_and_gone_only_when_its_job_is_over(self, bench: Bench) -> None:
        bench.unit("wish.service", SLOW_TO_STOP)
        control = await bench.opened("wish.service")
        await asyncio.to_thread(systemctl, "start", "wish.service")
        await until(lambda: control.observe().state is RunState.RUNNING)
        bench.seen.clear()
        await asyncio.to_thread(systemctl, "stop", "wish.service")
        run = await until(lambda: (run := control.observe()).state is RunState.GONE and run)
        assert run == ServiceRun(state=RunState.GONE, message=ASKED, asked=True)
        assert [seen for seen in bench.seen if seen.state is RunState.GONE] == [run]
        await asyncio.to_thread(systemctl, "stop", "wish.service")
        await asyncio.to_thread(systemctl, "start", "wish.service")
        run = await until(lambda: (run := control.observe()).state is RunState.RUNNING and run)
        assert not run.asked
        await asyncio.to_thread(systemctl, "stop", "wish.service")
        await until(lambda: control.observe().asked)

    async def test_one_that_fails_when_it_is_asked_to_stop_was_asked_too(self, bench: Bench) -> None:
        bench.unit("grim.service", "ExecStart=/bin/sh -c 'trap \"exit 3\" TERM; while :; do sleep 0.05; done'")
        control = await bench.opened("grim.service")
        await control.start()
        await asyncio.to_thread(systemctl, "stop", "grim.service")
        await until(lambda: control.observe().asked)

    async def test_a_stop_while_systemd_waits_to_restart_it_is_asked(self, bench: Bench) -> None:
        bench.unit("wait.service", "ExecStart=/bin/false\nRestart=always\nRestartSec=600")
        control = await bench.opened("wait.service")
        await asyncio.to_thread(systemctl, "start", "wait.service")
        await until(lambda: control.observe().message.startswith("systemd restarts it"))
        await asyncio.to_thread(systemctl, "stop", "wait.service")
        await until(lambda: control.observe().asked)

    async def test_a_restart_by_somebody_else_is_never_gone(self, bench: Bench) -> None:
        bench.unit("anew.service", SLOW_TO_STOP)
        control = await bench.opened("anew.service")
        first = await control.start()
        bench.seen.clear()
        await asyncio.to_thread(systemctl, "restart", "anew.service")
        await until(lambda: (run := control.observe()).state is RunState.RUNNING and run.pid != first.pid)
        assert RunState.GONE not in {run.state for run in bench.seen}
        assert not any(run.asked for run in bench.seen)

    async def test_a_restart_that_does_not_come_up_again_is_no_wish(self, bench: Bench) -> None:
        flag = Path("/run/broken")
        bench.unit("half.service", f"ExecStartPre=/bin/test ! -e {flag}\nExecStart=/bin/sleep infinity")
        control = await bench.opened("half.service")
        await control.start()
        flag.touch()
        await asyncio.to_thread(subprocess.run, ["systemctl", "restart", "half.service"], capture_output=True)
        run = await until(lambda: (run := control.observe()).state is RunState.GONE and run)
        flag.unlink()
        assert not run.asked
        assert not any(seen.asked for seen in bench.seen)

    @pytest.mark.parametrize("kill", ["KILL", "TERM"])
    async def test_an_end_without_a_job_is_no_wish(self, bench: Bench, kill: str) -> None:
        bench.unit("lost.service", "ExecStart=/bin/sleep infinity")
        control = await bench.opened("lost.service")
        await control.start()
        await asyncio.to_thread(systemctl, "kill", f"--signal={kill}", "lost.service")
        run = await until(lambda: (run := control.observe()).state is RunState.GONE and run)
        assert not run.asked

    async def test_a_oneshot_that_is_done_is_no_wish(self, bench: Bench) -> None:
        bench.unit("once.service", "Type=oneshot\nExecStart=/bin/true\nExecStopPost=/bin/true")
        control = await bench.opened("once.service")
        await asyncio.to_thread(systemctl, "start", "once.service")
        await until(lambda: bench.seen and control.observe().state is RunState.GONE)
        assert not any(run.asked for run in bench.seen)

    async def test_own_acts_are_no_wish_of_somebody_else(self, bench: Bench) -> None:
        bench.unit("own.service", SLOW_TO_STOP)
        bench.unit("needs.service", f"{SLOW_TO_STOP}\n[Unit]\nRequires=own.service\nAfter=own.service")
        control, child = await bench.opened("own.service"), await bench.opened("needs.service")
        await control.start()
        await child.start()
        assert (await control.stop()).state is RunState.GONE
        assert child.observe().state is RunState.GONE
        await control.start()
        await control.restart()
        await control.stop(force=True)
        assert not any(run.asked for run in bench.seen)

    async def test_what_requires_a_unit_that_is_stopped_was_asked_too(self, bench: Bench) -> None:
        bench.unit("base.service", "ExecStart=/bin/sleep infinity")
        needs = "{}=base.service\nAfter=base.service"
        bench.unit("upper.service", f"ExecStart=/bin/sleep infinity\n[Unit]\n{needs.format('Requires')}")
        bench.unit("bound.service", f"{SLOW_TO_STOP}\n[Unit]\n{needs.format('BindsTo')}")
        controls = [await bench.opened(unit) for unit in ("base.service", "upper.service", "bound.service")]
        await asyncio.to_thread(systemctl, "start", "upper.service", "bound.service")
        await until(lambda: all(each.observe().state is RunState.RUNNING for each in controls))
        await asyncio.to_thread(systemctl, "stop", "base.service")
        await until(lambda: all(each.observe().asked for each in controls))

    async def test_what_falls_with_a_unit_that_died_is_no_wish(self, bench: Bench) -> None:
        bench.unit("root.service", "ExecStart=/bin/sleep infinity")
        bench.unit("leaf.service", f"{SLOW_TO_STOP}\n[Unit]\nBindsTo=root.service\nAfter=root.service")
        root, leaf = await bench.opened("root.service"), await bench.opened("leaf.service")
        pid = (await root.start()).pid
        await leaf.start()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: root.observe().state is RunState.GONE)
        await root.start()
        await until(lambda: leaf.observe().state is RunState.GONE)
        assert not any(run.asked for run in bench.seen)

    async def test_units_are_listed(self, bench: Bench) -> None:
        bench.unit("listed.service", "ExecStart=/bin/sleep infinity")
        control = await bench.opened("listed.service")
        await control.start()
        found = {unit.name: unit for unit in await bench.manager.list_units()}
        assert found["listed.service"].description == "Test listed.service"
        assert found["listed.service"].sub == "running"

    async def test_without_the_bus_nothing_is_claimed_until_it_is_back(self, bench: Bench) -> None:
        bench.unit("lone.service", "ExecStart=/bin/sleep infinity")
        control = await bench.opened("lone.service")
        await control.start()
        stop = asyncio.to_thread(systemctl, "stop", "dbus.socket", "dbus.service")
        await stop
        run = await until(lambda: (run := control.observe()).state is RunState.UNKNOWN and run)
        assert "system bus" in run.message
        with pytest.raises(ControlError) as caught:
            await control.restart()
        assert caught.value.kind is ErrorKind.TRANSIENT
        await asyncio.to_thread(systemctl, "start", "dbus.socket", "dbus.service")
        await until(lambda: control.observe().state is RunState.RUNNING)
        assert (await control.restart()).state is RunState.RUNNING
