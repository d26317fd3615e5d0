"""The launchd control with a stand-in for launchctl that runs real processes. Nothing here ran on a Mac."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.host.controls.launchd import ControlledJob
from autonomyd.host.controls.protocol import ControlError, ErrorKind
from autonomyd.model.service import RunState, ServiceRun
from autonomyd.settings.container import LaunchdControl

WITHIN_S = 10.0

LAUNCHCTL = """#!{python}
import os, signal, subprocess, sys, time
from pathlib import Path

home = Path({home!r})
verb, *rest = sys.argv[1:]
target = rest[-1]
pidfile, loaded, runs = home / "pid", home / "loaded", home / "runs"
with (home / "calls").open("a") as calls:
    print(*sys.argv[1:], file=calls)

def pid():
    try:
        number = int(pidfile.read_text())
        state = Path(f"/proc/{{number}}/stat").read_text().rpartition(")")[2].split()[0]
        return 0 if state == "Z" else number
    except (OSError, ValueError):
        return 0

def say(code, words):
    print(words, file=sys.stderr)
    sys.exit(code)

def spawn():
    process = subprocess.Popen(["/bin/sleep", "1000"], start_new_session=True, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    pidfile.write_text(str(process.pid))
    runs.write_text(str(int(runs.read_text() or 0) + 1 if runs.exists() else 1))

if (home / "broken").exists():
    say(125, "Could not print domain: 125: Domain does not support specified action")
if verb == "bootstrap":
    if loaded.exists():
        say(5, "Bootstrap failed: 5: Input/output error")
    if not target.endswith("org.example.web.plist"):
        say(1, "Operation not permitted")
    loaded.touch()
    sys.exit(0)
if not loaded.exists():
    say(113, 'Bad request.\\nCould not find service "org.example.web" in domain for system')
if verb == "print":
    now = pid()
    print(f"{{target}} = {{{{\\n\\tactive count = 1\\n\\tstate = {{'running' if now else 'not running'}}\\n")
    if now:
        print(f"\\tpid = {{now}}")
    print("\\truns = 1\\n\\tlast terminating signal = Killed: 9")
    print("\\tcoalition = {{\\n\\t\\tstate = active\\n\\t}}\\n}}")
elif verb == "kickstart":
    if pid() and "-k" in rest:
        os.kill(pid(), signal.SIGKILL)
        while pid():
            time.sleep(0.01)
    if not pid():
        spawn()
elif verb == "kill":
    if not pid():
        say(3, "No process to signal.")
    os.kill(pid(), getattr(signal, rest[0]))
elif verb == "bootout":
    if pid():
        os.kill(pid(), signal.SIGTERM)
    loaded.unlink()
    sys.exit(36)
"""


class Mac:
    """The stand-in, and what it was asked."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.program = home / "launchctl"
        self.program.write_text(LAUNCHCTL.format(python=sys.executable, home=str(home)))
        self.program.chmod(0o755)

    @property
    def pid(self) -> int:
        return int((self.home / "pid").read_text())

    @property
    def acts(self) -> list[str]:
        return [line for line in (self.home / "calls").read_text().splitlines() if not line.startswith("print")]

    def end(self) -> None:
        if (self.home / "pid").exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


@pytest.fixture
def mac(tmp_path: Path):
    made = Mac(tmp_path)
    yield made
    made.end()


@pytest.fixture
async def job(mac: Mac) -> AsyncIterator[ControlledJob]:
    settings = LaunchdControl(type="launchd", label="org.example.web", stop_timeout_s=5.0, reload_signal="HUP")
    control = ControlledJob("web", settings, clock=SystemClock(), launchctl=str(mac.program))
    yield control
    await control.close()


async def until(control: ControlledJob, state: RunState) -> ServiceRun:
    async with asyncio.timeout(WITHIN_S):
        while (run := control.observe()).state is not state:
            await asyncio.sleep(0.02)
    return run


async def test_a_job_is_loaded_started_restarted_and_unloaded(job: ControlledJob, mac: Mac) -> None:
    told: list[ServiceRun] = []
    first = await job.open(told.append)
    assert (first.state, first.message) == (RunState.GONE, "launchd has no job system/org.example.web loaded")
    started = await job.start()
    assert (started.state, started.pid) == (RunState.RUNNING, mac.pid)
    assert (await job.start()).pid == started.pid
    again = await job.restart()
    assert again.state is RunState.RUNNING
    assert again.pid == mac.pid != started.pid
    assert (await job.stop()).state is RunState.GONE
    assert (await job.start()).state is RunState.RUNNING
    assert (await job.stop(force=True)).state is RunState.GONE
    assert mac.acts == [
        "bootstrap system /Library/LaunchDaemons/org.example.web.plist",
        "kickstart system/org.example.web",
        "kickstart -k system/org.example.web",
        "bootout system/org.example.web",
        "bootstrap system /Library/LaunchDaemons/org.example.web.plist",
        "kickstart system/org.example.web",
        "kill SIGKILL system/org.example.web",
        "bootout system/org.example.web",
    ]
    assert RunState.STOPPING in {run.state for run in told}


async def test_a_death_is_told_at_once_with_how_it_ended(job: ControlledJob, mac: Mac) -> None:
    told: asyncio.Queue[ServiceRun] = asyncio.Queue()
    await job.open(told.put_nowait)
    await job.start()
    while not told.empty():
        told.get_nowait()
    os.kill(mac.pid, signal.SIGKILL)
    async with asyncio.timeout(WITHIN_S):
        run = await told.get()
    assert (run.state, run.message) == (RunState.GONE, "ended by Killed: 9")


async def test_what_somebody_else_started_is_found(job: ControlledJob, mac: Mac) -> None:
    await job.open(lambda run: None)
    (mac.home / "loaded").touch()
    started = await asyncio.create_subprocess_exec(str(mac.program), "kickstart", "system/org.example.web")
    await started.wait()
    assert (await until(job, RunState.RUNNING)).pid == mac.pid


async def test_an_answer_that_is_none_makes_it_unknown(job: ControlledJob, mac: Mac) -> None:
    await job.open(lambda run: None)
    await job.start()
    mac.end()
    (mac.home / "broken").touch()
    run = await until(job, RunState.UNKNOWN)
    assert "Domain does not support" in run.message
    with pytest.raises(ControlError, match="launchctl"):
        await job.start()


async def test_a_machine_without_launchctl_says_so() -> None:
    settings = LaunchdControl(type="launchd", label="org.example.web")
    control = ControlledJob("web", settings, clock=SystemClock(), launchctl="/no/such/launchctl")
    with pytest.raises(ControlError, match="macOS") as refused:
        await control.open(lambda run: None)
    assert refused.value.kind is ErrorKind.OPERATOR


async def test_a_signal_lets_it_read_anew(job: ControlledJob, mac: Mac) -> None:
    await job.open(lambda run: None)
    await job.start()
    assert job.can_reload
    await job.reload()
    assert mac.acts[-1] == "kill SIGHUP system/org.example.web"
