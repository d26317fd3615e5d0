"""The command control against real processes: found by pid file or pattern, started and stopped by commands."""

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
from autonomyd.host.controls import ControlError, ErrorKind, make_control
from autonomyd.host.controls import command as command_module
from autonomyd.host.controls.command import ControlledCommand
from autonomyd.host.pidfd import identify
from autonomyd.host.process import all_pids, cmdline
from autonomyd.model.service import RunState, ServiceRun
from autonomyd.settings.control import CommandControl

DEADLINE_S = 10.0
SERVICE = """
import os, signal, sys
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
if len(sys.argv) > 2:
    with open(sys.argv[2] + '.new', 'w') as file:
        file.write(str(os.getpid()))
    os.rename(sys.argv[2] + '.new', sys.argv[2])
print('background', flush=True)
while True:
    signal.pause()
"""
STOP = "import os, sys; os.kill(int(open(sys.argv[1]).read()), 15)"


async def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + DEADLINE_S
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.005)
    return value


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tag = f"svc-{os.getpid()}-{folder.name}"
        self.pidfile = folder / "svc.pid"
        self.seen: list[ServiceRun] = []
        self.controls: list[ControlledCommand] = []

    @property
    def start_argv(self) -> tuple[str, ...]:
        return (sys.executable, "-c", SERVICE, self.tag, str(self.pidfile))

    async def opened(self, **more: Any) -> ControlledCommand:
        table = {"type": "command", "start": self.start_argv, "start_timeout_s": 5.0, "stop_timeout_s": 5.0} | more
        settings = CommandControl.model_validate(table)
        made = make_control("svc", settings, state_dir=self.folder, clock=SystemClock(), instance="test")
        assert isinstance(made, ControlledCommand)
        self.controls.append(made)
        await made.open(self.seen.append)
        return made

    def by_hand(self) -> int:
        """Starts the service as a person would: by the same command, in the background."""
        subprocess.run(self.start_argv, check=True, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + DEADLINE_S
        while not self.pidfile.exists():
            assert time.monotonic() < deadline
        return int(self.pidfile.read_text())


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    yield made
    for control in made.controls:
        await control.close()
    for pid in all_pids():
        if made.tag in cmdline(pid):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("found_by", ["pidfile", "match", "both"])
async def test_start_watch_and_stop(bench: Bench, found_by: str) -> None:
    keys = {"pidfile": str(bench.pidfile), "match": bench.tag}
    chosen = keys if found_by == "both" else {found_by: keys[found_by]}
    control = await bench.opened(**chosen)
    assert control.observe().state is RunState.GONE
    run = await control.start()
    assert run.state is RunState.RUNNING
    assert run.pid == int(bench.pidfile.read_text())
    again = await control.start()
    assert again.pid == run.pid
    ended = await control.stop()
    assert ended.state is RunState.GONE
    assert identify(run.pid) is None


async def test_a_stop_command_is_waited_for(bench: Bench) -> None:
    stop = (sys.executable, "-c", STOP, str(bench.pidfile))
    control = await bench.opened(pidfile=str(bench.pidfile), stop=stop)
    pid = (await control.start()).pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    await until(lambda: control.observe().state is RunState.FROZEN)
    run = await control.stop()
    assert run.state is RunState.GONE
    assert identify(pid) is None
    # The command itself fails now: the pid file names nobody. What counts is that nothing runs.
    assert (await control.stop()).state is RunState.GONE


async def test_a_stop_command_that_ends_nothing_is_an_error_and_force_helps(bench: Bench) -> None:
    control = await bench.opened(pidfile=str(bench.pidfile), stop=("true",), stop_timeout_s=0.1)
    pid = (await control.start()).pid
    with pytest.raises(ControlError, match=f"pid {pid} still runs"):
        await control.stop()
    assert (await control.stop(force=True)).state is RunState.GONE


async def test_restart_without_and_with_its_own_command(bench: Bench) -> None:
    control = await bench.opened(pidfile=str(bench.pidfile))
    first = await control.start()
    second = await control.restart()
    assert second.state is RunState.RUNNING
    assert second.pid != first.pid
    await control.close()
    code = f"import os, subprocess; os.kill(int(open({str(bench.pidfile)!r}).read()), 15)"
    script = bench.folder / "restart.py"
    script.write_text(f"{code}\nsubprocess.run({bench.start_argv!r}, check=True)\n")
    other = await bench.opened(pidfile=str(bench.pidfile), restart=(sys.executable, str(script)))
    assert other.observe().pid == second.pid
    third = await other.restart()
    assert third.state is RunState.RUNNING
    assert third.pid != second.pid


async def test_death_is_heard(bench: Bench) -> None:
    control = await bench.opened(match=bench.tag)
    pid = (await control.start()).pid
    assert pid is not None
    bench.seen.clear()
    os.kill(pid, signal.SIGKILL)
    await until(lambda: bench.seen)
    assert bench.seen[-1].state is RunState.GONE
    assert "not our child" in bench.seen[-1].message


async def test_one_started_by_hand_shows_when_it_is_looked_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_module, "REFIND_EVERY_S", 0.02)
    control = await bench.opened(match=bench.tag)
    assert control.observe().state is RunState.GONE
    pid = bench.by_hand()
    run = await until(lambda: (run := control.observe()).state is RunState.RUNNING and run)
    assert run.pid == pid


async def test_own_helpers_are_never_the_service(bench: Bench) -> None:
    helper = subprocess.Popen(["sleep", "60"], executable="sleep")
    try:
        control = await bench.opened(match=r"^sleep 60$")
        assert control.observe().pid != helper.pid
    finally:
        helper.kill()
        helper.wait()


async def test_a_stale_pidfile_is_told_by_its_age_or_its_command_line(bench: Bench) -> None:
    pid = bench.by_hand()
    os.utime(bench.pidfile, (time.time() - 600, time.time() - 600))
    assert (await bench.opened(pidfile=str(bench.pidfile))).observe().state is RunState.GONE
    assert (await bench.opened(pidfile=str(bench.pidfile), match="other")).observe().state is RunState.GONE
    assert (await bench.opened(pidfile=str(bench.pidfile), match=bench.tag)).observe().pid == pid


async def test_a_failing_command_tells_what_it_printed(bench: Bench) -> None:
    control = await bench.opened(start=("sh", "-c", "echo port in use; exit 7"), match=bench.tag)
    with pytest.raises(ControlError, match=r"(?s)exited with code 7.*port in use") as caught:
        await control.start()
    assert caught.value.kind is ErrorKind.TRANSIENT
    missing = await bench.opened(start=("no-such-program-here",), match=bench.tag)
    with pytest.raises(ControlError, match="no-such-program-here") as caught:
        await missing.start()
    assert caught.value.kind is ErrorKind.OPERATOR


async def test_a_command_that_hangs_is_ended(bench: Bench) -> None:
    control = await bench.opened(
        start=("sh", "-c", f"sleep 300.{os.getpid()} & wait"), match=bench.tag, start_timeout_s=0.2
    )
    with pytest.raises(ControlError, match="did not return within"):
        await control.start()
    await until(lambda: not [pid for pid in all_pids() if cmdline(pid) == ("sleep", f"300.{os.getpid()}")])


async def test_without_pidfile_and_match_nothing_is_claimed(bench: Bench) -> None:
    control = await bench.opened(start=("true",))
    assert control.observe().state is RunState.UNKNOWN
    assert (await control.start()).state is RunState.UNKNOWN


async def test_a_pid_file_that_names_an_older_innocent_process_is_not_believed(bench):
    """The program that our own start brought up is remembered: whoever else the file names, it is not the service."""
    keys = {"pidfile": str(bench.pidfile)}
    control = await bench.opened(**keys)
    started = await control.start()
    with subprocess.Popen(["sleep", "60"]) as innocent:
        try:
            await control.stop(force=True)
            assert identify(started.pid or 0) is None
            bench.pidfile.write_text(str(innocent.pid))
            assert control.observe().state is RunState.GONE
            again = await bench.opened(**keys)
            assert again.observe().state is RunState.GONE
            await again.stop()
            assert innocent.poll() is None
        finally:
            innocent.kill()
