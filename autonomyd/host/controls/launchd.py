"""`type = "launchd"`: a job of macOS, through `launchctl`.

Written for macOS 10.11 and later by launchctl(1) and by recorded shapes of `launchctl print`; never run on a Mac by
its tests, which put a stand-in program in the place of launchctl. The format of `print` is not promised by Apple: what
is not understood makes the job `unknown`.

The process is watched once it is known (a death shows at once); a job that somebody else starts shows at the next look.
"""

import asyncio
import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from autonomyd.aio.clock import Clock
from autonomyd.host.command import CommandFailure, CommandResult, run_command
from autonomyd.host.controls.main_process import MainProcess
from autonomyd.host.controls.protocol import ControlError, ErrorKind, OnChange, PlainControl
from autonomyd.host.pidfd import identify
from autonomyd.host.process import read_process
from autonomyd.model.service import RunState, ServiceRun
from autonomyd.settings.container import LaunchdControl

LAUNCHCTL = "/bin/launchctl"
COMMAND_TIMEOUT_S = 10.0
LOOK_EVERY_S = 1.0
APPEAR_EVERY_S = 0.1
START_TIMEOUT_S = 30.0
DAEMONS = "/Library/LaunchDaemons"
AGENTS = "/Library/LaunchAgents"
NOT_LOADED_CODE = 113
NOT_LOADED = "Could not find service"
"""What `print` exits with, and says, about a job that is not loaded in this domain; a domain that it can't find is said
in other words."""
GOING = frozenset({0, 3, 36})
"""`bootout`: done; no such process (any more); in progress."""
SPAWNING = frozenset({"spawn scheduled", "xpcproxy"})
"""launchd waits before it starts it again; it is becoming the job's program."""
WITHOUT_PROCESS = frozenset({"running", "not running", "waiting", "exited", "stopped"})
_FIELD = re.compile(r"^\t([a-z][a-z ]*[a-z]) = (.*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """A job in the words of `launchctl print`: `state` is running, waiting, not running, spawn scheduled, ...; `exit`
    is the last exit code or signal in words, "" when it never ended. `missing` has words when nothing is known,
    `loaded` is false when launchd surely does not know the job."""

    state: str = ""
    pid: int = 0
    runs: int = 0
    exit: str = ""
    missing: str = ""
    loaded: bool = True


def parse_job(output: str) -> JobState:
    """The fields at the first level of `launchctl print DOMAIN/LABEL`; those of the tables inside do not count."""
    fields: dict[str, str] = {}
    for line in output.splitlines():
        found = _FIELD.match(line)
        if found is not None and found[2] != "{":
            fields.setdefault(found[1], found[2].strip())
    state = fields.get("state", "")
    if not state:
        return JobState(missing="launchctl print tells no state of the job")
    pid = fields.get("pid", "")
    runs = fields.get("runs", "")
    return JobState(
        state=state,
        pid=int(pid) if pid.isascii() and pid.isdigit() else 0,
        runs=int(runs) if runs.isascii() and runs.isdigit() else 0,
        exit=_exit_words(fields),
    )


def _exit_words(fields: dict[str, str]) -> str:
    signal = fields.get("last terminating signal") or fields.get("last exit reason")
    if signal:
        return f"ended by {signal}"
    code = fields.get("last exit code", "")
    return "" if not code or code.startswith("(") else f"exited with code {code}"


class ControlledJob(PlainControl):
    """One job. `launchctl` is another path only in tests."""

    kind = "launchd"

    def __init__(self, name: str, settings: LaunchdControl, *, clock: Clock, launchctl: str = LAUNCHCTL) -> None:
        self.name = name
        self._settings = settings
        self._target = f"{settings.domain}/{settings.label}"
        self._clock = clock
        self._launchctl = launchctl
        self._lock = asyncio.Lock()
        self._on_change: OnChange | None = None
        self._job = JobState(missing="not looked at yet")
        self._main: MainProcess | None = None
        self._phase: RunState | None = None
        self._looked_at = -math.inf
        self._looking: asyncio.Task[None] | None = None

    async def open(self, on_change: OnChange) -> ServiceRun:
        self._on_change = on_change
        try:
            await self._look()
        except CommandFailure as error:
            raise ControlError(f"{error}: launchd jobs are macOS only", ErrorKind.OPERATOR) from error
        return self.observe()

    def observe(self) -> ServiceRun:
        self._look_soon()
        main = self._main
        if main is not None and (state := main.state()) is not RunState.GONE:
            return ServiceRun(state=self._phase or state, pid=main.pid, started_at=main.started_at)
        return self._without_process()

    async def start(self) -> ServiceRun:
        return await self._act(RunState.STARTING, self._start)

    async def stop(self, *, force: bool = False) -> ServiceRun:
        return await self._act(RunState.STOPPING, lambda: self._stop(force=force))

    async def restart(self) -> ServiceRun:
        return await self._act(RunState.STARTING, self._restart)

    @property
    def can_reload(self) -> bool:
        return self._settings.reload_signal is not None

    async def reload(self) -> ServiceRun:
        signal = self._settings.reload_signal
        if signal is None:
            raise ControlError("it has no reload_signal, so it can't be told to read anew", ErrorKind.OPERATOR)
        async with self._lock:
            await self._run("kill", f"SIG{signal}", self._target)
        return self.observe()

    async def close(self) -> None:
        self._on_change = None
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        self._let_go()

    def _without_process(self) -> ServiceRun:
        job = self._job
        if self._phase is not None:
            return ServiceRun(state=self._phase)
        if not job.loaded:
            return ServiceRun(state=RunState.GONE, message=f"launchd has no job {self._target} loaded")
        if job.missing:
            return ServiceRun(state=RunState.UNKNOWN, message=job.missing)
        if job.state in SPAWNING:
            words = f"launchd starts it soon{f' ({job.exit}, {job.runs} runs)' if job.exit else ''}"
            return ServiceRun(state=RunState.STARTING, message=words)
        if job.state == "running" and job.pid > 0 and identify(job.pid) is not None:
            return ServiceRun(state=RunState.RUNNING, pid=job.pid)
        if job.state in WITHOUT_PROCESS:
            return ServiceRun(state=RunState.GONE, message=job.exit or f"launchd calls it {job.state}")
        return ServiceRun(state=RunState.UNKNOWN, message=f"launchd calls it {job.state}")

    async def _start(self) -> None:
        await self._look()
        if self._main is not None:
            return
        await self._load()
        await self._run("kickstart", self._target)
        await self._appear(before=None)

    async def _restart(self) -> None:
        await self._look()
        before = self._main.pid if self._main is not None else None
        await self._load()
        # -k ends what runs first; without it a running job is left alone
        await self._run("kickstart", "-k", self._target)
        await self._appear(before=before)

    async def _load(self) -> None:
        if not self._job.loaded:
            folder = DAEMONS if self._settings.domain == "system" else AGENTS
            plist = self._settings.plist or f"{folder}/{self._settings.label}.plist"
            await self._run("bootstrap", self._settings.domain, plist)

    async def _stop(self, *, force: bool) -> None:
        """Unloads the job: one that is only killed would be started again by its own KeepAlive."""
        await self._look()
        if force and self._main is not None:
            await self._run("kill", "SIGKILL", self._target)
        if self._job.loaded:
            await self._run("bootout", self._target, fine=GOING)
        await self._until(
            lambda: self._main is None and not self._job.loaded,
            within_s=self._settings.stop_timeout_s,
            otherwise="it still runs after its stop",
        )

    async def _appear(self, *, before: int | None) -> None:
        await self._until(
            lambda: self._main is not None and self._main.pid != before,
            within_s=START_TIMEOUT_S,
            otherwise="no process of it showed after its start",
        )

    async def _until(self, wanted: Callable[[], bool], *, within_s: float, otherwise: str) -> None:
        """Looks until it is so. Raises ControlError when it is not within the time."""
        try:
            async with asyncio.timeout(within_s):
                await self._look()
                while not wanted():
                    await asyncio.sleep(APPEAR_EVERY_S)
                    await self._look()
        except TimeoutError:
            raise ControlError(f"{self._target}: {otherwise} ({within_s:g} s)", ErrorKind.TRANSIENT) from None

    async def _act(self, phase: RunState, act: Callable[[], Awaitable[None]]) -> ServiceRun:
        async with self._lock:
            self._phase = phase
            self._tell()
            try:
                await act()
            finally:
                self._phase = None
                self._tell()
        return self.observe()

    async def _run(self, *arguments: str, fine: frozenset[int] = frozenset({0})) -> None:
        """One command of launchctl. Raises ControlError with what it said."""
        result = await self._launch(*arguments)
        if result.code in fine:
            return
        said = " ".join((result.error or result.output).split())[:300]
        ended = "did not return in time" if result.code is None else f"exited with code {result.code}"
        # 1 and 150 are launchd's "not permitted", 5 its input/output error of a job that is being unloaded
        kind = ErrorKind.OPERATOR if result.code in (1, 150) else ErrorKind.TRANSIENT
        raise ControlError(f"launchctl {arguments[0]} {self._target} {ended}: {said}", kind)

    async def _launch(self, *arguments: str) -> CommandResult:
        try:
            return await run_command((self._launchctl, *arguments), timeout_s=COMMAND_TIMEOUT_S)
        except CommandFailure as error:
            raise ControlError(str(error), ErrorKind.OPERATOR) from error

    async def _look(self) -> None:
        """Ask launchd. Raises CommandFailure when there is no launchctl."""
        result = await run_command((self._launchctl, "print", self._target), timeout_s=COMMAND_TIMEOUT_S)
        self._looked_at = self._clock.monotonic()
        if result.code == 0:
            self._job = parse_job(result.output)
        elif result.code == NOT_LOADED_CODE and NOT_LOADED in result.error + result.output:
            self._job = JobState(loaded=False)
        else:
            said = " ".join((result.error or result.output).split())[:200]
            self._job = JobState(missing=f"launchctl print {self._target} failed: {said or 'no answer in time'}")
        self._follow(self._job.pid)

    def _follow(self, pid: int) -> None:
        if self._main is not None and (self._main.pid == pid or self._job.missing):
            return
        self._let_go()
        identity = identify(pid) if pid > 0 else None
        facts = read_process(pid) if identity is not None else None
        if identity is not None and facts is not None:
            self._main = MainProcess(identity, facts.started_at, self._exited)

    def _exited(self, process: MainProcess) -> None:
        if process is self._main:
            self._main = None
            self._looked_at = -math.inf
            self._look_soon()  # how it ended, and whether launchd starts it again, only launchd knows

    def _let_go(self) -> None:
        if self._main is not None:
            self._main.release()
            self._main = None

    def _look_soon(self) -> None:
        idle = self._looking is None or self._looking.done()
        due = self._clock.monotonic() - self._looked_at >= LOOK_EVERY_S
        if idle and due and self._phase is None and self._on_change is not None:
            self._looking = asyncio.get_running_loop().create_task(self._look_and_tell(), name=f"launchd-{self.name}")

    async def _look_and_tell(self) -> None:
        try:
            await self._look()
        except CommandFailure as error:
            self._job = JobState(missing=str(error))
        self._tell()

    def _tell(self) -> None:
        if self._on_change is not None:
            self._on_change(self.observe())
