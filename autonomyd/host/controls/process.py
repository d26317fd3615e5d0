"""`type = "process"`: the daemon starts the program itself, finds it again after its own restart, and reaps it.

Everything that is decided about identity is in `evidence`, everything about what ends together in `family`.
"""

import asyncio
import math
import os
from pathlib import Path

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.host.controls.ending import end_family, late_note
from autonomyd.host.controls.evidence import (
    MARKER,
    RunRecord,
    is_marked,
    leading,
    marked_processes,
    read_pidfile,
    runs_command,
)
from autonomyd.host.controls.main_process import MainProcess
from autonomyd.host.controls.protocol import ControlError, ErrorKind, OnChange, PlainControl
from autonomyd.host.pidfd import identify
from autonomyd.host.process import ProcessIdentity, read_process
from autonomyd.host.signals import Ended, named_signal, send_signal
from autonomyd.host.spawn import Spawned, SpawnError, service_environment, spawn
from autonomyd.model.service import RunState, ServiceRun
from autonomyd.settings.control import ProcessControl
from autonomyd.settings.fallback import FallbackSettings

PIDFILE_WAIT_S = 10.0
PIDFILE_LOOK_S = 0.02
REFIND_EVERY_S = 1.0
CLOCK_SLACK_S = 2.0
"""File times and process start times come from clocks of different grain."""

log = structlog.get_logger(__name__)


class ControlledProcess(PlainControl):
    """One program that runs under the daemon and outlives it."""

    kind = "process"

    def __init__(
        self,
        name: str,
        settings: ProcessControl,
        *,
        state_dir: Path,
        clock: Clock,
        instance: str,
        second: FallbackSettings | None = None,
    ) -> None:
        self.name = name
        self._settings = settings
        self._second = second
        self._on_second = False
        self._clock = clock
        self._cwd = Path(settings.cwd) if settings.cwd else state_dir
        self._output = Path(settings.stdout) if settings.stdout else state_dir / "logs" / f"{name}.log"
        self._pidfile = None if settings.pidfile is None else self._cwd / settings.pidfile
        self._record = RunRecord(state_dir / "run" / f"{name}.json")
        self._marker = f"{instance}/{name}"
        self._lock = asyncio.Lock()
        self._on_change: OnChange | None = None
        self._main: MainProcess | None = None
        self._phase: RunState | None = None
        self._message = ""
        self._ended: MainProcess | None = None
        self._looked_at = -math.inf
        self._spawning: asyncio.Future[Spawned] | None = None

    async def open(self, on_change: OnChange) -> ServiceRun:
        self._on_change = on_change
        found = await asyncio.to_thread(self._find)
        if found is not None:
            self._adopt(found)
        return self.observe()

    def observe(self) -> ServiceRun:
        if self._main is None and self._phase is None:
            self._refind()
        main = self._main
        if main is None:
            return ServiceRun(state=self._phase or RunState.GONE, message=self._message)
        state = main.state()
        if state is RunState.GONE:
            return ServiceRun(state=self._phase or state, message=main.notice())
        return ServiceRun(state=self._phase or state, pid=main.pid, started_at=main.started_at, message=self._message)

    async def start(self) -> ServiceRun:
        async with self._lock:
            return await self._start()

    async def stop(self, *, force: bool = False) -> ServiceRun:
        async with self._lock:
            return await self._stop(force=force)

    async def restart(self) -> ServiceRun:
        async with self._lock:
            await self._stop(force=False)
            return await self._start()

    @property
    def can_reload(self) -> bool:
        return self._settings.reload_signal is not None

    async def reload(self) -> ServiceRun:
        main = self._main
        if self._settings.reload_signal is None:
            return await super().reload()
        if main is None or not send_signal(main.identity, named_signal(self._settings.reload_signal)):
            raise ControlError(f"{self.name} does not run, so it can't be reloaded", ErrorKind.TRANSIENT)
        return self.observe()

    @property
    def fallback(self) -> bool:
        return self._on_second

    def use_fallback(self, on: bool) -> None:
        if on and self._second is None:
            super().use_fallback(on)
        self._on_second = on

    async def close(self) -> None:
        self._on_change = None
        if self._main is not None:
            self._main.release()
            self._main = None

    async def _start(self) -> ServiceRun:
        await self._settle()
        if self._main is not None and self._main.state() is not RunState.GONE:
            return self.observe()
        found = await asyncio.to_thread(self._find)
        if found is not None:
            self._adopt(found)
            return self._tell(f"was running already (pid {found.pid})")
        self._enter(RunState.STARTING)
        note = ""
        try:
            note = await self._end_leftovers()
            begun_wall = self._clock.wall()
            await self._spawn()
            if self._pidfile is not None:
                note = note or await self._await_pidfile(self._pidfile, begun_wall)
        except ControlError as error:
            note = error.message
            raise
        finally:
            self._leave(note)
        return self.observe()

    async def _end_leftovers(self) -> str:
        """Orphaned workers of an earlier run can hold its port: they go first. Only marked ones; returns words."""
        ended = await self._end(None, force=False)
        pids = ended.asked + ended.killed
        if not pids:
            return ""
        log.warning("leftovers_ended", service=self.name, asked=ended.asked, killed=ended.killed)
        return f"first ended what was left of an earlier run: pid {', '.join(map(str, sorted(pids)))}"

    async def _spawn(self) -> None:
        spawning = asyncio.ensure_future(asyncio.to_thread(self._spawn_now))
        # Also when the caller is cancelled meanwhile: the process runs then, and must be known.
        spawning.add_done_callback(self._spawned)
        self._spawning = spawning
        try:
            await asyncio.shield(spawning)
        except SpawnError as error:
            raise ControlError(str(error), ErrorKind.TRANSIENT if error.passing else ErrorKind.OPERATOR) from error

    def _spawn_now(self) -> Spawned:
        second = self._second if self._on_second else None
        command, own = (second or self._settings).command, (second or self._settings).env
        env = service_environment(os.environ, own) | {MARKER: self._marker}
        spawned = spawn(command, cwd=self._cwd, env=env, output=self._output)
        self._remember(spawned.identity)
        return spawned

    async def _settle(self) -> None:
        """Waits for a spawn whose caller was cancelled: until it is through, nothing shows that it will run."""
        if self._spawning is not None:
            await asyncio.wait((self._spawning,))

    def _spawned(self, spawning: asyncio.Future[Spawned]) -> None:
        self._spawning = None
        if spawning.cancelled() or spawning.exception() is not None:
            return
        spawned = spawning.result()
        self._watch(spawned.identity, spawned.started_at)
        log.info("service_spawned", service=self.name, pid=spawned.identity.pid, exec_ms=round(spawned.exec_s * 1e3, 2))

    async def _await_pidfile(self, path: Path, begun_wall: float) -> str:
        """Waits until the pid file names the service, which may be another process than the one started: a program
        that puts itself in the background. Raises ControlError when that one fails, or nothing appears."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PIDFILE_WAIT_S
        while loop.time() < deadline:
            found = self._named_now(path, begun_wall)
            if found is not None:
                if self._main is None or found != self._main.identity:
                    self._adopt(found)
                    await asyncio.to_thread(self._remember, found)
                return ""
            if self._main is None and self._ended is not None and not self._ended.clean_exit:
                raise ControlError(f"{self._settings.command[0]} {self._ended.ended}", ErrorKind.TRANSIENT)
            await asyncio.sleep(PIDFILE_LOOK_S)
        if self._main is not None:
            return f"runs, but did not write {path} within {PIDFILE_WAIT_S:g} s"
        raise ControlError(
            f"{self._settings.command[0]} {self._ended.ended if self._ended else 'ended'}, and {path} names no"
            f" process of it within {PIDFILE_WAIT_S:g} s",
            ErrorKind.TRANSIENT,
        )

    def _named_now(self, path: Path, begun_wall: float) -> ProcessIdentity | None:
        """What the pid file names, when this start wrote it: a file and a process that are both younger than the
        start are believed even when the program wrote a title over its environment."""
        file = read_pidfile(path)
        facts = None if file is None else read_process(file.pid)
        if file is None or facts is None or facts.unknown or facts.is_dead:
            return None
        # The file itself must be new to the clock's grain, else a stale one and a quick pid reuse could meet.
        fresh = file.written_at >= begun_wall - 0.01 and facts.started_at >= begun_wall - CLOCK_SLACK_S
        if fresh or is_marked(file.pid, self._marker):
            return ProcessIdentity(pid=file.pid, start_ticks=facts.start_ticks)
        return None

    async def _stop(self, *, force: bool) -> ServiceRun:
        await self._settle()
        if self._main is None:
            found = await asyncio.to_thread(self._find)
            if found is not None:
                self._adopt(found)
        self._enter(RunState.STOPPING)
        main, note = self._main, "stopped"
        self._ended = None
        try:
            ended = await self._end(None if main is None else main.identity, force=force)
            note = await self._stopped_note(main, ended, force=force)
        except ControlError as error:
            note = error.message
            raise
        finally:
            self._leave(note)
        return self.observe()

    async def _end(self, main: ProcessIdentity | None, *, force: bool) -> Ended:
        return await end_family(self.name, self._settings, main, marker=self._marker, force=force)

    async def _stopped_note(self, main: MainProcess | None, ended: Ended, *, force: bool) -> str:
        if main is None:
            return "stopped" if not ended.asked + ended.killed else "stopped; only leftovers had run"
        return f"stopped: {await main.wait_ended()}{late_note(self._settings, ended, force=force)}"

    def _find(self) -> ProcessIdentity | None:
        """The running service, by whichever evidence there is. Blocks: reads all of /proc."""
        recorded = self._record.read()
        found = self._named_by_pidfile() or recorded or leading(marked_processes(self._marker))
        if found is not None and found != recorded:
            self._remember(found)
        return found

    def _named_by_pidfile(self) -> ProcessIdentity | None:
        file = None if self._pidfile is None else read_pidfile(self._pidfile)
        found = None if file is None else identify(file.pid)
        if file is None or found is None:
            return None
        if is_marked(found.pid, self._marker):
            return found
        facts = read_process(found.pid)
        # Nobody writes the pid of a process that does not exist yet: a younger process got a stale number.
        if facts is None or facts.started_at > file.written_at + CLOCK_SLACK_S:
            return None
        return found if runs_command(found.pid, self._settings.command, self._cwd) else None

    def _refind(self) -> None:
        """A service that a person started by hand shows by its pid file alone: one small read, once a second."""
        now = self._clock.monotonic()
        if self._pidfile is None or self._on_change is None or now - self._looked_at < REFIND_EVERY_S:
            return
        self._looked_at = now
        found = self._named_by_pidfile()
        if found is not None:
            self._adopt(found)

    def _adopt(self, identity: ProcessIdentity) -> None:
        facts = read_process(identity.pid)
        if self._second is not None:
            self._on_second = runs_command(identity.pid, self._second.command, None)
        self._watch(identity, 0.0 if facts is None else facts.started_at)
        log.info("service_adopted", service=self.name, pid=identity.pid)

    def _watch(self, identity: ProcessIdentity, started_at: float) -> None:
        if self._main is not None:
            self._main.release()
        self._message = ""
        self._main = MainProcess(identity, started_at, self._exited)
        if self._on_change is None:
            self._main.release()

    def _remember(self, identity: ProcessIdentity) -> None:
        try:
            self._record.write(identity)
        except OSError as error:
            # The marker still finds it; a full disk must not keep a service down.
            log.warning("run_record_failed", service=self.name, error=str(error))

    def _exited(self, process: MainProcess) -> None:
        if process is not self._main:
            return
        self._main = None
        self._ended = process
        self._message = process.ended or ""
        if self._phase is None:
            # A program that replaced itself (an upgrade in place) has written its successor's pid by now.
            self._looked_at = -math.inf
            self._changed()

    def _enter(self, phase: RunState) -> None:
        self._phase = phase
        self._message = ""
        self._changed()

    def _leave(self, note: str) -> None:
        self._phase = None
        self._tell(note)

    def _tell(self, note: str) -> ServiceRun:
        self._message = note or self._message
        return self._changed()

    def _changed(self) -> ServiceRun:
        run = self.observe()
        if self._on_change is not None:
            self._on_change(run)
        return run
