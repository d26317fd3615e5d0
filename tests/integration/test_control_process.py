"""The process control against real processes: found, started, ended, adopted, and told apart from strangers."""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.host.controls import ControlError, ErrorKind, make_control
from autonomyd.host.controls.process import ControlledProcess
from autonomyd.host.pidfd import identify
from autonomyd.model.service import RunState, ServiceRun
from autonomyd.settings.control import ProcessControl

DEADLINE_S = 10.0
WORKER = "import signal, sys; print('ready', flush=True); signal.pause()"
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True)\nwhile 1: signal.pause()"
)
PARENT = f"""
import subprocess, sys, signal
child = subprocess.Popen([sys.executable, '-c', {WORKER!r}])
print('child', child.pid, flush=True)
signal.pause()
"""
DAEMON = """
import os, signal, sys, time
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
with open(sys.argv[1] + '.new', 'w') as file:
    file.write(str(os.getpid()))
os.rename(sys.argv[1] + '.new', sys.argv[1])
signal.pause()
"""


async def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + DEADLINE_S
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.005)
    return value


def alive(pid: int) -> bool:
    return identify(pid) is not None


class Bench:
    """Makes controls over one state folder, and ends whatever they started when the test is over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.instance = f"test-{os.getpid()}-{folder.name}"
        self.seen: list[ServiceRun] = []
        self.controls: list[ControlledProcess] = []

    def control(self, code: str | None = None, *, command: tuple[str, ...] = (), **more: Any) -> ControlledProcess:
        argv = command or (sys.executable, "-c", code or WORKER)
        settings = ProcessControl.model_validate({"type": "process", "command": argv, "stop_timeout_s": 5.0, **more})
        made = make_control("web", settings, state_dir=self.folder, clock=SystemClock(), instance=self.instance)
        assert isinstance(made, ControlledProcess)
        self.controls.append(made)
        return made

    async def opened(self, code: str | None = None, **more: Any) -> ControlledProcess:
        control = self.control(code, **more)
        await control.open(self.seen.append)
        return control

    async def output(self, words: str, path: str = "logs/web.log") -> str:
        file = self.folder / path
        await until(lambda: file.exists() and words in file.read_text())
        return file.read_text()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    yield made
    last = made.control(stop_timeout_s=0.1)
    await last.open(lambda run: None)
    await last.stop(force=True)
    for control in made.controls:
        await control.close()


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "300"])
    yield process
    process.kill()
    process.wait()


async def test_start_stop_and_restart(bench: Bench) -> None:
    control = await bench.opened()
    assert control.observe().state is RunState.GONE
    first = await control.start()
    assert first.state is RunState.RUNNING
    assert first.pid is not None
    assert first.started_at == pytest.approx(time.time(), abs=5.0)
    await bench.output("ready")
    second = await control.restart()
    assert second.state is RunState.RUNNING
    assert second.pid != first.pid
    assert not alive(first.pid)
    ended = await control.stop()
    assert ended.state is RunState.GONE
    assert "killed by SIGTERM" in ended.message
    assert bench.seen[-1] == ended
    assert {RunState.STARTING, RunState.STOPPING} <= {run.state for run in bench.seen}


async def test_a_death_is_heard_at_once_with_its_cause(bench: Bench) -> None:
    heard: asyncio.Queue[tuple[float, ServiceRun]] = asyncio.Queue()
    control = bench.control()
    await control.open(lambda run: heard.put_nowait((time.perf_counter(), run)))
    latencies = []
    for _ in range(7):
        pid = (await control.start()).pid
        assert pid is not None
        while not heard.empty():
            heard.get_nowait()
        begun = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        at, run = await asyncio.wait_for(heard.get(), DEADLINE_S)
        latencies.append(at - begun)
        assert run == ServiceRun(state=RunState.GONE, message="killed by SIGKILL")
    print(f"death to on_change, median: {statistics.median(latencies) * 1e3:.1f} ms")
    assert statistics.median(latencies) < 0.5


async def test_an_exit_code_is_told(bench: Bench) -> None:
    control = await bench.opened("raise SystemExit(3)")
    await control.start()
    run = await until(lambda: (run := control.observe()).state is RunState.GONE and run)
    assert run.message == "exited with code 3"


async def test_one_that_ignores_the_signal_is_killed_after_its_time(bench: Bench) -> None:
    control = await bench.opened(STUBBORN, stop_timeout_s=0.3)
    pid = (await control.start()).pid
    assert pid is not None
    await bench.output("ready")
    run = await control.stop()
    assert "killed by SIGKILL" in run.message
    assert "after 0.3 s" in run.message
    assert not alive(pid)


async def test_force_kills_at_once(bench: Bench) -> None:
    control = await bench.opened(STUBBORN, stop_timeout_s=60.0)
    await control.start()
    await bench.output("ready")
    begun = time.monotonic()
    run = await control.stop(force=True)
    assert run.state is RunState.GONE
    assert time.monotonic() - begun < DEADLINE_S


async def test_a_frozen_one_is_seen_and_stops_in_order(bench: Bench) -> None:
    code = "import signal, sys; signal.signal(15, lambda *_: sys.exit(0)); print('ready', flush=True); signal.pause()"
    control = await bench.opened(code, stop_timeout_s=60.0)
    pid = (await control.start()).pid
    assert pid is not None
    await bench.output("ready")
    os.kill(pid, signal.SIGSTOP)
    await until(lambda: control.observe().state is RunState.FROZEN)
    run = await control.stop()
    assert run.message == "stopped: exited with code 0"


async def test_children_end_with_it(bench: Bench) -> None:
    control = await bench.opened(PARENT)
    await control.start()
    child = int((await bench.output("child")).split("child")[1].split()[0])
    await control.stop()
    assert not alive(child)


async def test_adopted_after_a_daemon_restart_and_never_doubled(bench: Bench) -> None:
    first = await bench.opened()
    pid = (await first.start()).pid
    await first.close()
    assert pid is not None
    assert alive(pid)
    second = bench.control()
    assert (await second.open(bench.seen.append)).pid == pid
    run = await second.start()
    assert run.pid == pid
    bench.seen.clear()
    os.kill(pid, signal.SIGKILL)
    await until(lambda: bench.seen)
    assert bench.seen[-1].state is RunState.GONE
    assert bench.seen[-1].message == "killed by SIGKILL"


async def test_found_by_its_marker_when_the_daemon_died_before_the_record(bench: Bench) -> None:
    first = await bench.opened()
    pid = (await first.start()).pid
    await bench.output("ready")
    await first.close()
    (bench.folder / "run" / "web.json").unlink()
    second = await bench.opened()
    assert second.observe().pid == pid
    assert (await second.start()).pid == pid


async def test_found_by_its_record_when_it_wrote_over_its_environment(bench: Bench) -> None:
    # What a process title library does: the memory of arguments and environment gets other contents.
    code = textwrap.dedent("""
        import signal
        with open('/proc/self/stat') as file:
            fields = file.read().rsplit(')', 1)[1].split()
        start, end = int(fields[47]), int(fields[48])
        with open('/proc/self/mem', 'r+b', buffering=0) as memory:
            memory.seek(start)
            memory.write(bytes(end - start))
        print('ready', flush=True)
        signal.pause()
    """)
    first = await bench.opened(code)
    pid = (await first.start()).pid
    assert pid is not None
    await bench.output("ready")
    await first.close()
    second = await bench.opened(code)
    assert second.observe().pid == pid
    await second.stop()
    assert not alive(pid)


async def test_an_orphan_of_the_last_run_is_ended_before_the_start(bench: Bench) -> None:
    control = await bench.opened(PARENT)
    first = await control.start()
    assert first.pid is not None
    orphan = int((await bench.output("child")).split("child")[1].split()[0])
    os.kill(first.pid, signal.SIGKILL)
    await until(lambda: control.observe().state is RunState.GONE)
    assert alive(orphan)
    await control.close()
    again = await bench.opened(PARENT)
    assert again.observe().state is RunState.GONE, "an orphaned worker is not the service"
    run = await again.start()
    assert run.state is RunState.RUNNING
    assert str(orphan) in run.message
    assert not alive(orphan)


async def test_a_stale_pidfile_that_names_a_stranger_is_not_believed(
    bench: Bench, stranger: subprocess.Popen[bytes]
) -> None:
    pidfile = bench.folder / "web.pid"
    pidfile.write_text(f"{stranger.pid}\n")
    os.utime(pidfile, (time.time() - 60, time.time() - 60))
    code = f"import os, signal; open({str(pidfile)!r}, 'w').write(str(os.getpid())); signal.pause()"
    control = await bench.opened(code, pidfile=str(pidfile))
    assert control.observe().state is RunState.GONE
    await control.stop()
    run = await control.start()
    assert run.pid not in (None, stranger.pid)
    pidfile.write_text(str(stranger.pid))
    await control.stop()
    assert stranger.poll() is None


async def test_a_program_that_puts_itself_in_the_background(bench: Bench) -> None:
    pidfile = bench.folder / "web.pid"
    command = (sys.executable, "-c", DAEMON, str(pidfile))
    control = await bench.opened(command=command, pidfile=str(pidfile))
    run = await control.start()
    assert run.state is RunState.RUNNING
    assert run.pid == int(pidfile.read_text())
    await control.close()
    again = await bench.opened(command=command, pidfile=str(pidfile))
    assert again.observe().pid == run.pid
    (bench.folder / "run" / "web.json").unlink()
    bench.seen.clear()
    os.kill(run.pid, signal.SIGKILL)
    await until(lambda: bench.seen)
    assert "not our child" in bench.seen[-1].message


async def test_a_background_program_that_fails_is_an_error(bench: Bench) -> None:
    control = await bench.opened("raise SystemExit(4)", pidfile=str(bench.folder / "web.pid"))
    with pytest.raises(ControlError, match="exited with code 4") as caught:
        await control.start()
    assert caught.value.kind is ErrorKind.TRANSIENT
    assert control.observe().state is RunState.GONE


async def test_one_started_by_hand_is_found_by_its_pidfile(bench: Bench) -> None:
    pidfile = bench.folder / "web.pid"
    control = await bench.opened(pidfile=str(pidfile), cwd=str(bench.folder))
    assert control.observe().state is RunState.GONE
    by_hand = subprocess.Popen([sys.executable, "-c", WORKER], cwd=bench.folder, stdout=subprocess.DEVNULL)
    try:
        pidfile.write_text(str(by_hand.pid))
        again = await bench.opened(pidfile=str(pidfile), cwd=str(bench.folder))
        assert again.observe().pid == by_hand.pid
    finally:
        by_hand.kill()
        by_hand.wait()


async def test_environment_folder_and_output(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere")
    monkeypatch.setenv("AUTONOMYD_STATE_DIR", "/nowhere")
    cwd = bench.folder / "srv"
    cwd.mkdir()
    code = "import os, sys; print(os.getcwd(), sorted(os.environ), os.environ['PORT']); print('err', file=sys.stderr)"
    control = await bench.opened(code, cwd=str(cwd), env={"PORT": "8000"}, stdout=str(bench.folder / "var/log/o.log"))
    await control.start()
    text = await bench.output("err", "var/log/o.log")
    assert str(cwd) in text
    assert "8000" in text
    assert "AUTONOMYD_SERVICE" in text
    assert "NOTIFY_SOCKET" not in text
    assert "AUTONOMYD_STATE_DIR" not in text


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"command": ("no-such-program-here",)}, "no-such-program-here"),
        ({"cwd": "/no/such/folder"}, "/no/such/folder"),
        ({"stdout": "/dev/null/x.log"}, "/dev/null/x.log"),
        ({"command": ("/etc/passwd",)}, "/etc/passwd"),
    ],
)
async def test_what_is_missing_is_named(bench: Bench, more: dict[str, Any], named: str) -> None:
    control = await bench.opened(**more)
    with pytest.raises(ControlError, match=named) as caught:
        await control.start()
    assert caught.value.kind is ErrorKind.OPERATOR
    assert control.observe().state is RunState.GONE
    assert named in control.observe().message


async def test_a_start_that_is_cancelled_loses_no_process(bench: Bench) -> None:
    control = await bench.opened()
    starting = asyncio.ensure_future(control.start())
    await until(lambda: bench.seen)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    pid = (await control.start()).pid
    await control.close()
    again = await bench.opened()
    assert again.observe().pid == pid


def test_the_same_on_uvloop(tmp_path: Path) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def scenario() -> None:
        bench = Bench(tmp_path)
        control = await bench.opened()
        pid = (await control.start()).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: bench.seen[-1].message == "killed by SIGKILL")
        again = await control.start()
        assert again.pid not in (None, pid)
        assert (await control.stop()).state is RunState.GONE
        await control.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())


async def test_without_pidfds_it_works_the_same(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(pid: int, flags: int = 0) -> int:
        raise OSError("no pidfds here")

    monkeypatch.setattr(os, "pidfd_open", refused, raising=False)
    control = await bench.opened()
    pid = (await control.start()).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: bench.seen[-1].message == "killed by SIGKILL")
    await control.start()
    assert (await control.stop()).state is RunState.GONE
