"""`type = "command"`: anything else. Commands start and stop it; a pid file or a pattern finds its process."""

import asyncio
import math
import os
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.host.controls.ending import end_family, late_note
from autonomyd.host.controls.evidence import read_pidfile
from autonomyd.host.controls.main_process import MainProcess
from autonomyd.host.controls.protocol import ControlError, ErrorKind, OnChange, PlainControl
from autonomyd.host.pidfd import identify, wait_exit
from autonomyd.host.process import ProcessIdentity, all_pids, cmdline, read_process
from autonomyd.host.signals import named_signal, send_signal
from autonomyd.host.spawn import SpawnError, run_helper, service_environment
from autonomyd.model.service import RunState, ServiceRun
from autonomyd.settings.control import CommandControl

REFIND_EVERY_S = 1.0
FIRST_LOOK_S = 0.02
SLOWEST_LOOK_S = 0.25
SETTLE_S = 0.05
CLOCK_SLACK_S = 2.0
BLIND = "neither pidfile nor match is configured: what runs cannot be seen"

log = structlog.get_logger(__name__)


class ControlledCommand(PlainControl):
    """A service that its own commands start and stop."""

    kind = "command"

    def __init__(self, name: str, settings: CommandControl, *, state_dir: Path, clock: Clock) -> None:
        self.name = name
        self._settings = settings
        self._clock = clock
        self._cwd = Path(settings.cwd) if settings.cwd else state_dir
        self._output = state_dir / "logs" / f"{name}.log"
        self._pidfile = None if settings.pidfile is None else self._cwd / settings.pidfile
        self._match = None if settings.match is None else re.compile(settings.match)
        self._lock = asyncio.Lock()
        self._on_change: OnChange | None = None
        self._main: MainProcess | None = None
        self._phase: RunState | None = None
        self._message = ""
        self._looked_at = -math.inf
        self._known = state_dir / "run" / f"{name}.program"
        self._program = _read_program(self._known)

    async def open(self, on_change: OnChange) -> ServiceRun:
        self._on_change = on_change
        return self.observe()

    def observe(self) -> ServiceRun:
        if self._main is None and self._phase is None:
            self._refind()
        main = self._main
        if main is not None:
            state = main.state()
            if state is RunState.GONE:
                return ServiceRun(state=self._phase or state, message=main.notice())
            return ServiceRun(
                state=self._phase or state, pid=main.pid, started_at=main.started_at, message=self._message
            )
        if self._is_blind:
            return ServiceRun(state=self._phase or RunState.UNKNOWN, message=self._message or BLIND)
        return ServiceRun(state=self._phase or RunState.GONE, message=self._message)

    async def start(self) -> ServiceRun:
        async with self._lock:
            return await self._start()

    async def stop(self, *, force: bool = False) -> ServiceRun:
        async with self._lock:
            return await self._acting(RunState.STOPPING, lambda: self._stop(force=force))

    async def restart(self) -> ServiceRun:
        async with self._lock:
            if self._settings.restart is not None:
                return await self._acting(RunState.STARTING, self._restart)
            await self._acting(RunState.STOPPING, lambda: self._stop(force=False))
            return await self._start()

    @property
    def can_reload(self) -> bool:
        return self._settings.reload is not None

    async def reload(self) -> ServiceRun:
        if self._settings.reload is None:
            return await super().reload()
        async with self._lock:
            await self._run(self._settings.reload, "reload")
            return self.observe()

    async def close(self) -> None:
        self._on_change = None
        if self._main is not None:
            self._main.release()
            self._main = None

    @property
    def _is_blind(self) -> bool:
        return self._pidfile is None and self._match is None

    async def _start(self) -> ServiceRun:
        found = await asyncio.to_thread(self._find)
        if found is not None:
            self._adopt(found)
            return self._tell(f"was running already (pid {found.pid})")
        return await self._acting(RunState.STARTING, self._run_start)

    async def _acting(self, phase: RunState, act: Callable[[], Awaitable[str]]) -> ServiceRun:
        self._phase = phase
        self._message = ""
        self._tell("")
        note = ""
        try:
            note = await act()
        except ControlError as error:
            note = error.message
            raise
        finally:
            self._phase = None
            self._looked_at = self._clock.monotonic()
            self._tell(note)
        return self.observe()

    async def _run_start(self) -> str:
        await self._run(self._settings.start, "start")
        return await self._appear(None)

    async def _restart(self) -> str:
        before = await asyncio.to_thread(self._find)
        self._thaw()
        await self._run(self._settings.restart or (), "restart")
        return await self._appear(before)

    async def _stop(self, *, force: bool) -> str:
        found = await asyncio.to_thread(self._find)
        if found is not None and (self._main is None or self._main.identity != found):
            self._adopt(found)
        main = self._main
        if self._settings.stop is None or force:
            return "stopped" if main is None else await self._signal(main, force=force)
        self._thaw()
        try:
            await self._run(self._settings.stop, "stop")
        except ControlError:
            # What counts is whether it runs: many stop commands complain about a service that is gone already.
            if self._is_blind or (main is not None and main.state() is not RunState.GONE):
                raise
        return "stopped" if main is None else await self._gone(main)

    async def _gone(self, main: MainProcess) -> str:
        if not await wait_exit(main.identity, self._settings.stop_timeout_s):
            raise ControlError(
                f"{self.name}: pid {main.pid} still runs {self._settings.stop_timeout_s:g} s after its stop command",
                ErrorKind.TRANSIENT,
            )
        return f"stopped: {await main.wait_ended()}"

    async def _signal(self, main: MainProcess, *, force: bool) -> str:
        ended = await end_family(self.name, self._settings, main.identity, marker=None, force=force)
        return f"stopped: {await main.wait_ended()}{late_note(self._settings, ended, force=force)}"

    async def _run(self, argv: Sequence[str], verb: str) -> None:
        """Runs one of the service's commands to its end. Raises ControlError with what it printed."""
        env = service_environment(os.environ, self._settings.env)
        timeout_s = self._settings.start_timeout_s
        try:
            end = await run_helper(argv, cwd=self._cwd, env=env, output=self._output, timeout_s=timeout_s)
        except SpawnError as error:
            raise ControlError(str(error), ErrorKind.TRANSIENT if error.passing else ErrorKind.OPERATOR) from error
        if end.code == 0:
            return
        words = f"did not return within {timeout_s:g} s" if end.code is None else f"exited with code {end.code}"
        if end.code is None and verb == "start":
            words += ' (a program that stays in the foreground wants control type "process")'
        raise ControlError(
            f"{verb} command {argv[0]} {words}" + (f": {end.tail}" if end.tail else ""), ErrorKind.TRANSIENT
        )

    async def _appear(self, before: ProcessIdentity | None) -> str:
        """Waits for the service's process, another one than `before`. Raises ControlError when none shows up."""
        if self._is_blind:
            return ""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.start_timeout_s
        look_s = FIRST_LOOK_S
        while True:
            found = await asyncio.to_thread(self._find)
            if found is not None and found != before and await self._stays(found):
                self._adopt(found)
                await asyncio.to_thread(self._remember_program, found)
                return ""
            if loop.time() >= deadline:
                break
            await asyncio.sleep(look_s)
            look_s = min(look_s * 2.0, SLOWEST_LOOK_S)
        shown = self._settings.pidfile or self._settings.match
        if found is not None:
            raise ControlError(
                f"{self.name}: the restart command returned, but pid {found.pid} is still the old one",
                ErrorKind.TRANSIENT,
            )
        raise ControlError(f"{self.name}: the command succeeded, but no process shows by {shown}", ErrorKind.TRANSIENT)

    async def _stays(self, found: ProcessIdentity) -> bool:
        """A program on its way into the background is for a moment two or three processes of one command line."""
        return self._pidfile is not None or not await wait_exit(found, SETTLE_S)

    def _thaw(self) -> None:
        """A frozen service cannot obey its own stop command."""
        if self._main is not None and self._main.state() is RunState.FROZEN:
            send_signal(self._main.identity, named_signal("CONT"))

    def _find(self) -> ProcessIdentity | None:
        """The service's process. Reads all command lines when only a pattern is given: some milliseconds."""
        if self._pidfile is not None:
            return self._named_by_pidfile(self._pidfile)
        return None if self._match is None else self._oldest_match(self._match)

    def _named_by_pidfile(self, path: Path) -> ProcessIdentity | None:
        file = read_pidfile(path)
        found = None if file is None else identify(file.pid)
        facts = None if found is None else read_process(found.pid)
        if file is None or found is None or facts is None or found.pid == os.getpid():
            return None
        if self._match is not None:
            return found if self._match.search(" ".join(cmdline(found.pid))) else None
        if self._program and program_of(found.pid) != self._program:
            return None  # the file is stale, or wrong: what it names is not the program that our own start brought up
        # The file was written while this pid was the service's: a younger process only got the number again.
        return found if facts.started_at <= file.written_at + CLOCK_SLACK_S else None

    def _remember_program(self, identity: ProcessIdentity) -> None:
        program = program_of(identity.pid)
        if not program or program == self._program or self._match is not None:
            return
        self._program = program
        try:
            self._known.parent.mkdir(parents=True, exist_ok=True)
            self._known.write_text("\n".join(program), encoding="utf-8")
        except OSError as error:
            # it is known until the daemon ends; a full disk must not keep a service down
            log.warning("program_record_failed", service=self.name, error=str(error))

    def _oldest_match(self, pattern: re.Pattern[str]) -> ProcessIdentity | None:
        found = (identify(pid) for pid in all_pids() if pattern.search(" ".join(cmdline(pid))) and not _is_ours(pid))
        return min((one for one in found if one is not None), key=lambda one: (one.start_ticks, one.pid), default=None)

    def _refind(self) -> None:
        now = self._clock.monotonic()
        if self._on_change is None or now - self._looked_at < REFIND_EVERY_S:
            return
        self._looked_at = now
        found = self._find()
        if found is not None:
            self._adopt(found)

    def _adopt(self, identity: ProcessIdentity) -> None:
        facts = read_process(identity.pid)
        if self._main is not None:
            if self._main.identity == identity and self._main.ended is None:
                return
            self._main.release()
        self._message = ""
        self._main = MainProcess(identity, 0.0 if facts is None else facts.started_at, self._exited)
        if self._on_change is None:
            self._main.release()
        log.info("service_found", service=self.name, pid=identity.pid)

    def _exited(self, process: MainProcess) -> None:
        if process is not self._main:
            return
        self._main = None
        self._message = process.ended or ""
        if self._phase is None:
            self._looked_at = -math.inf  # a service that replaced itself shows at once
            self._tell(self._message)

    def _tell(self, note: str) -> ServiceRun:
        self._message = note or self._message
        run = self.observe()
        if self._on_change is not None:
            self._on_change(run)
        return run


def program_of(pid: int) -> tuple[str, ...]:
    """What a process shows of its program: the base names of its first two words, so that a script's name counts and
    not only its interpreter's. Empty when it is gone."""
    return tuple(os.path.basename(word.partition(" ")[0]) for word in cmdline(pid)[:2])


def _read_program(path: Path) -> tuple[str, ...]:
    try:
        return tuple(path.read_text(encoding="utf-8").split("\n"))
    except (OSError, ValueError):
        return ()


def _is_ours(pid: int) -> bool:
    """Whether it is this daemon or something that it runs (a check, a start command): never the service. As the first
    process of a container the daemon is everybody's parent; then only itself is left out."""
    own = os.getpid()
    if own == 1:
        return pid == own
    seen: set[int] = set()
    while pid > 1 and pid not in seen:
        if pid == own:
            return True
        seen.add(pid)
        facts = read_process(pid)
        pid = 0 if facts is None else facts.ppid
    return False
