"""The daemon's process: configuration, event loop, system, control socket, service manager, signals."""

import asyncio
import contextlib
import faulthandler
import gc
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog

from autonomyd.aio.termination import ending_signals
from autonomyd.control.resource import Hooks
from autonomyd.control.server import ControlServer, SocketRefused
from autonomyd.engine.system import AutonomousOperationSystem
from autonomyd.host.notify import Notifier
from autonomyd.host.paths import default_socket
from autonomyd.model.status import SystemStatus
from autonomyd.model.subject import HOST
from autonomyd.model.words import counted
from autonomyd.monitor.probes import check_kinds
from autonomyd.settings.daemon import DaemonSettings
from autonomyd.settings.redact import public_settings
from autonomyd.settings.reload import SettingsSource

EXIT_OK = 0
EXIT_CANT_CREATE = 73
STATUS_EVERY_S = 60.0
TIDY_AFTER_S = 1.0
"""The collector's look at everything takes a tenth of the start: it may wait until the start is over."""

log = structlog.get_logger(__name__)


def run_daemon(
    config: Path | None,
    overrides: Mapping[str, Any],
    *,
    on_settings: Callable[[DaemonSettings], None] = lambda settings: None,
    on_ready: Callable[[SystemStatus], None] = lambda status: None,
) -> int:
    """Run until SIGINT or SIGTERM; returns the exit code. `on_settings` hears how to log, `on_ready` the first status.

    Raises ConfigError and AlreadyRunning before it begins."""
    source = SettingsSource(config, checks=check_kinds(), overrides=overrides)
    on_settings(source.current.daemon)
    faulthandler.enable()
    daemon = Daemon(source, on_ready)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(daemon.run())
    except SocketRefused as error:
        log.error("socket_refused", reason=str(error))
        return EXIT_CANT_CREATE
    except OSError as error:
        log.error("state_folder_unusable", reason=str(error), hint="set [daemon] state_dir or --state-dir")
        return EXIT_CANT_CREATE
    return EXIT_OK


class Daemon:
    """One run of the daemon."""

    def __init__(self, source: SettingsSource, on_ready: Callable[[SystemStatus], None]) -> None:
        self._source = source
        self._on_ready = on_ready
        self._notifier = Notifier()
        self._reloading = asyncio.Lock()
        self._reloads: set[asyncio.Task[Mapping[str, Any]]] = set()
        self.system = AutonomousOperationSystem(
            source.current, config_file=str(source.path) if source.path is not None else None
        )

    async def run(self) -> None:
        system = self.system
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self._notifier.close)
            # signals first: one that came before its handler would end the process without any order
            loop = asyncio.get_running_loop()
            came = stack.enter_context(ending_signals())
            loop.add_signal_handler(signal.SIGHUP, self._reload_soon)
            stack.callback(loop.remove_signal_handler, signal.SIGHUP)
            stack.push_async_callback(system.stop)
            async with self._reloading:
                await system.start()
            wanted = self._source.current.daemon.socket
            server = ControlServer(
                system, Hooks(reload=self.reload, config=self.config), Path(wanted) if wanted else default_socket()
            )
            stack.push_async_callback(server.stop)
            await server.start()
            keeping = loop.create_task(self._keep_manager_informed())
            stack.callback(keeping.cancel)
            self._notifier.ready()
            log.info("ready", socket=system.socket, services=len(system.parts.keeper.services))
            self._on_ready(await system.get_system_status())
            stack.callback(loop.call_later(TIDY_AFTER_S, _tidy_memory).cancel)
            number = await came
            log.info("stopping", signal=number.name)
            self._notifier.stopping()

    async def reload(self) -> Mapping[str, Any]:
        """Read the configuration again; a bad one is refused and the old one stays in force."""
        async with self._reloading:
            self._notifier.reloading()
            try:
                return await self._reload()
            finally:
                self._notifier.ready()

    async def _reload(self) -> Mapping[str, Any]:
        result = self._source.reload()
        if not result.ok:
            self.system.config_error = str(result.error)
            log.error("configuration_refused", reason=str(result.error))
            self.system.parts.records.event("configuration_refused", HOST, str(result.error))
            return {"ok": False, "message": f"refused, the old configuration stays in force: {result.error}"}
        before = self.system.settings.daemon
        outdated = await self.system.reload(result.settings)
        note = "" if result.settings.daemon == before else " ([daemon] changes come with the next start)"
        log.info("configuration_reloaded", services=len(result.settings.services))
        if outdated:
            note += f"; still running as before: {', '.join(outdated)} (`autonomyctl service restart NAME`)"
        return {"ok": True, "message": f"in force: {counted(len(result.settings.services), 'service')}{note}"}

    def config(self) -> Mapping[str, Any]:
        system = self.system
        return {
            "file": system.config_file,
            "loaded_at": system.config_loaded_at,
            "error": system.config_error,
            "values": public_settings(system.settings),
        }

    def _reload_soon(self) -> None:
        task = asyncio.get_running_loop().create_task(self.reload())
        self._reloads.add(task)  # the loop itself holds tasks only weakly
        task.add_done_callback(self._reloaded)

    def _reloaded(self, task: "asyncio.Task[Mapping[str, Any]]") -> None:
        self._reloads.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("reload_failed", exc_info=task.exception())

    async def _keep_manager_informed(self) -> None:
        """Feed the watchdog only while every loop makes progress; tell a line of status."""
        if not self._notifier.enabled:
            return
        interval_s = self._notifier.watchdog_interval_s()
        every_s = min(interval_s / 2, STATUS_EVERY_S) if interval_s else STATUS_EVERY_S
        while True:
            stalled = self.system.supervisor.stalled()
            if stalled:
                log.error("loops_stuck", loops=",".join(stalled))
                self._notifier.status(f"stuck: {', '.join(stalled)}")
            else:
                if interval_s:
                    self._notifier.watchdog()
                self._tell_status()
            await asyncio.sleep(every_s)

    def _tell_status(self) -> None:
        """A fault in making the line must not starve the watchdog: the loops are what it watches."""
        try:
            self._notifier.status(self._line())
        except Exception:
            log.exception("status_line_failed")

    def _line(self) -> str:
        parts = self.system.parts
        report = parts.monitoring.report()
        paused = ", paused" if parts.pause.facts().paused else ""
        services = counted(len(parts.keeper.services), "service")
        return f"{report.status}: {services}, {counted(len(report.issues), 'open issue')}{paused}"


def _tidy_memory() -> None:
    """What was imported and built up to here lives for ever: the collector need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.enable()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
