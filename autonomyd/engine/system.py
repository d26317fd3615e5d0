"""AutonomousOperationSystem: the loops under one supervisor, and everything that they share.

system = AutonomousOperationSystem()
await system.start()
status = await system.get_system_status()
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Collection, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from autonomyd._version import __version__
from autonomyd.aio.clock import Clock, SystemClock
from autonomyd.aio.supervisor import SupervisedLoop, Supervisor
from autonomyd.aio.termination import ending_signals
from autonomyd.engine.assembly import assemble
from autonomyd.engine.bringup import bring_up, wants_start
from autonomyd.engine.goals import AutonomousGoalSetting
from autonomyd.engine.healing import SelfHealingSystem
from autonomyd.engine.managed import ManagedService
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.optimization import SelfOptimizationSystem
from autonomyd.engine.parts import Parts
from autonomyd.engine.recovery import Recovery
from autonomyd.engine.requests import ServiceRequests
from autonomyd.engine.restoring import restore, waits
from autonomyd.engine.status import StatusReader
from autonomyd.engine.trust import DAY_S
from autonomyd.engine.watching import ServiceWatch
from autonomyd.host.lock import InstanceLock
from autonomyd.host.paths import default_state_dir, ensure_private_dir
from autonomyd.knowledge.retention import retention_of
from autonomyd.knowledge.store import Store
from autonomyd.model.issue import Issue, IssueState, Transition
from autonomyd.model.reading import Reading
from autonomyd.model.service import Intent, ServiceState
from autonomyd.model.status import DaemonStatus, PauseStatus, SystemStatus
from autonomyd.model.subject import HOST, service_of
from autonomyd.model.words import counted
from autonomyd.settings.diff import changed_services
from autonomyd.settings.root import Settings

STOP_TIMEOUT_S = 10.0
STUCK_AFTER_S = 30.0
MAINTAIN_EVERY_S = 300.0

log = structlog.get_logger(__name__)


class AutonomousOperationSystem:
    """`settings` default to the built-in ones (zero configuration: it watches the host).

    State lives in `settings.daemon.state_dir`, else the user's default; one instance a folder (AlreadyRunning)."""

    def __init__(
        self, settings: Settings | None = None, *, clock: Clock | None = None, config_file: str | None = None
    ) -> None:
        self.settings = settings or Settings()
        self.clock: Clock = clock or SystemClock()
        self.config_file = config_file
        self.config_error: str | None = None
        self.config_loaded_at = self.clock.wall()
        self.started_at = self.clock.wall()
        self._began = self.clock.monotonic()
        self.socket: str | None = None
        self.state_dir = Path(self.settings.daemon.state_dir or default_state_dir())
        self.supervisor = Supervisor(self.clock)
        self.started = False
        self._watches: dict[str, ServiceWatch] = {}
        self.parts: Parts = assemble(
            settings=self.settings,
            clock=self.clock,
            state_dir=self.state_dir,
            on_service=self._service_changed,
            on_issue=self._issue_changed,
            watch_of=self._watches.get,
            wake=self._wake,
            supervisor=self.supervisor,
        )
        self._lock: InstanceLock | None = None
        self._starting: asyncio.Task[None] | None = None
        self._running: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[None]] = set()
        self._maintained_at = self.clock.monotonic()
        self._stopping = False

    # --- life ----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Return when every loop has made its first turn. Raises AlreadyRunning, OSError for the state folder."""
        if self.started:
            return
        parts = self.parts
        ensure_private_dir(self.state_dir)
        self._lock = InstanceLock(self.state_dir / "autonomyd.lock").acquire()
        self.started = True
        self._stopping = False
        self._starting = asyncio.get_running_loop().create_task(self._begin(parts), name="start")
        try:
            await self._starting
        except BaseException as error:
            ended = self._stopping
            await self.stop()
            if ended and isinstance(error, asyncio.CancelledError) and not _is_cancelled():
                raise RuntimeError("stopped while it was starting") from None
            raise
        parts.records.event("daemon_started", HOST, f"watching {counted(len(parts.keeper.services), 'service')}")

    async def stop(self) -> None:
        """End the loops, let fixes under way end (bounded), close the store. Services go on running. Idempotent."""
        if self._stopping:
            return
        self._stopping = True
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait((self._starting,))
        parts = self.parts
        # while the loops still run: what a fix did is verified on new samples, and they bring those
        await parts.healing.close(timeout_s=STOP_TIMEOUT_S)
        for task in (*self._background, *([self._running] if self._running else [])):
            task.cancel()
        await asyncio.gather(*self._background, *([self._running] if self._running else []), return_exceptions=True)
        await parts.alerting.close()
        if parts.records.attached:
            await parts.insight.turns.close()
        await parts.optimization.close()
        await parts.monitoring.close()
        for name in list(self._watches):
            self._watches.pop(name).unwatch()
        await parts.keeper.close()
        if parts.systemd is not None:
            await parts.systemd.close()
            parts.systemd = None
        await parts.container_keeper.close()
        await parts.containers.close()
        if parts.records.attached:
            parts.records.event("daemon_stopped", HOST, "services go on running")
            await parts.records.close()
        self.started = False
        if self._lock is not None:
            self._lock.release()
        self._running = None

    async def run(self) -> None:
        """Start, block until SIGINT or SIGTERM, stop."""
        with ending_signals() as came:
            async with self:
                await came

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # --- the subsystems ------------------------------------------------------------------------------------------

    @property
    def monitoring(self) -> SelfMonitoringSystem:
        return self.parts.monitoring

    @property
    def healing(self) -> SelfHealingSystem:
        return self.parts.healing

    @property
    def goals(self) -> AutonomousGoalSetting:
        return self.parts.goals

    @property
    def optimization(self) -> SelfOptimizationSystem:
        return self.parts.optimization

    async def get_system_status(self) -> SystemStatus:
        """Everything that `autonomyctl status` shows; readable by attribute and by key."""
        return await StatusReader(self.parts, self.supervisor, self.clock).read(self._daemon_status())

    def push(self, metric: str, value: float, *, unit: str = "") -> None:
        """Take a metric of the embedding program in."""
        self.parts.monitoring.push(metric, value, unit=unit)

    @property
    def requests(self) -> ServiceRequests:
        """What a person asks for by hand."""
        parts = self.parts
        return ServiceRequests(keeper=parts.keeper, runner=parts.runner, records=parts.records)

    async def check_now(self) -> list[Reading]:
        """Run every probe now."""
        return await self.parts.monitoring.sampler.look_at_all()

    def pause(self, *, for_s: float | None = None, reason: str = "", actor: str = "program") -> PauseStatus:
        return self.parts.pause.pause(for_s=for_s, reason=reason, actor=actor)

    def resume(self, *, actor: str = "program") -> PauseStatus:
        """End a pause, and reset the budget of disruptive acts."""
        self.parts.history.forgive()
        self.parts.records.budget_reset()
        self.parts.healing.try_again()
        return self.parts.pause.resume(actor=actor)

    async def reload(self, settings: Settings) -> tuple[str, ...]:
        """Put a new configuration in force; services that did not change are not touched, and none is stopped.
        Returns the names of those that still run as the old one said."""
        parts = self.parts
        changes = changed_services(self.settings, settings)
        before = self.settings.services
        self.settings = parts.settings = settings
        self.config_loaded_at = self.clock.wall()
        self.config_error = None
        for name in (*changes.removed, *changes.changed):
            watch = self._watches.pop(name, None)
            if watch is not None:
                watch.close()
            await parts.keeper.remove(name)
        parts.monitoring.reload(settings)
        parts.trust.bound(
            half_life_s=settings.healing.half_life_days * DAY_S, quarantine_s=settings.healing.quarantine_s
        )
        parts.dependencies.reload()
        await parts.shelf.put_up(settings, self.config_file)
        await parts.insight.logs.put_up(settings, self.config_file)
        parts.alerting.reload()
        for watch in self._watches.values():
            watch.reinterval()
        waiting = await self._add_services(parts, (*changes.added, *changes.changed))
        self._set_intervals()
        outdated = tuple(
            name
            for name in changes.changed
            if before[name].control != settings.services[name].control and parts.keeper.runs(name)
        )
        for name in outdated:
            parts.keeper.services[name].outdated = f"runs as before the reload: `autonomyctl service restart {name}`"
        self._spawn(bring_up(parts.keeper, parts.runner, waiting, parts.pause))
        parts.records.event("configuration_reloaded", HOST, counted(len(settings.services), "service"))
        return outdated

    # --- private -------------------------------------------------------------------------------------------------

    async def _begin(self, parts: Parts) -> None:
        parts.records.attach(await self._open_store())
        recovery = Recovery(parts)
        recovering = await recovery.take_over()
        await parts.shelf.put_up(self.settings, self.config_file)
        await parts.insight.logs.put_up(self.settings, self.config_file)
        await restore(parts, self.settings, self.clock, recovering=recovering)
        waiting = await self._add_services(parts, tuple(self.settings.services))
        self._add_loops(parts)
        self._running = asyncio.get_running_loop().create_task(self.supervisor.run(), name="loops")
        self._spawn(parts.known_good.run())
        self._spawn(recovery.settle())
        self._spawn(bring_up(parts.keeper, parts.runner, waiting, parts.pause))
        await self.supervisor.wait_ready()

    def _daemon_status(self) -> DaemonStatus:
        return DaemonStatus(
            pid=os.getpid(),
            version=__version__,
            started_at=self.started_at,
            uptime_s=self.clock.monotonic() - self._began,
            config_file=self.config_file,
            config_loaded_at=self.config_loaded_at,
            config_error=self.config_error,
            state_dir=str(self.state_dir),
            socket=self.socket,
            event_loop=type(asyncio.get_running_loop()).__module__.partition(".")[0],
        )

    async def _open_store(self) -> Store:
        retention = retention_of(self.settings.retention)
        return await Store.open(str(self.state_dir / "state.db"), clock=self.clock, retention=retention)

    async def _add_services(self, parts: Parts, names: Collection[str]) -> tuple[str, ...]:
        """Open the controls of `names`, all at once; returns those that are to be brought up."""
        intents = await parts.records.restored_intents()

        def held(service: ManagedService) -> bool:
            return wants_start(service, parts.pause) and not waits(service, parts, self.clock)

        order = [name for name in self.settings.services if name in names]
        added = await asyncio.gather(
            *(
                parts.keeper.add(name, self.settings.services[name], intents.get(name, Intent.STARTED), hold=held)
                for name in order
            )
        )
        for service in added:
            self._watches[service.name] = ServiceWatch(
                service, parts.monitoring, parts.keeper, parts.dependencies, parts.containers, parts.insight.logs
            )
            self._watches[service.name].state_changed(ServiceState.UNKNOWN)
        return tuple(service.name for service in added if service.operating)

    def _add_loops(self, parts: Parts) -> None:
        seconds = self.settings.intervals
        bodies: tuple[tuple[str, Callable[[], Awaitable[float | None]], float], ...] = (
            ("monitoring", parts.monitoring.tick, seconds.monitoring_s),
            ("healing", parts.healing.tick, seconds.healing_s),
            ("goals", self._goals, seconds.goals_s),
            ("optimization", parts.optimization.tick, seconds.optimization_s),
            ("alerts", parts.alerting.tick, seconds.alerts_s),
            ("insight", parts.insight.turns.tick, seconds.insight_s),
        )
        for name, body, interval_s in bodies:
            loop = SupervisedLoop(name=name, body=body, interval_s=interval_s, stuck_after_s=STUCK_AFTER_S)
            self.supervisor.add(loop)
        parts.monitoring.sampler.changed = self.supervisor.loops["monitoring"].wake
        parts.healing.wake = self._wake
        parts.healing.after_fix = self._fix_ended
        parts.alerting.wake_by(self.supervisor.loops["alerts"].wake.set)

    def _set_intervals(self) -> None:
        for name, loop in self.supervisor.loops.items():
            loop.interval_s = getattr(self.settings.intervals, f"{name}_s")
            loop.wake.set()  # it may sleep for the rest of an interval that is no longer in force
        self.parts.healing.interval_s = self.settings.intervals.healing_s

    async def _goals(self) -> None:
        parts = self.parts
        await parts.goals.tick()
        now = self.clock.monotonic()
        if now - self._maintained_at >= MAINTAIN_EVERY_S:
            self._maintained_at = now
            # on its own: a slow disk must not make the loop look stuck
            self._spawn(parts.records.store.maintain())
            self._spawn(parts.backups.tidy())

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background_ended)

    def _background_ended(self, task: "asyncio.Task[None]") -> None:
        self._background.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("background_task_failed", exc_info=task.exception())

    def _wake(self) -> None:
        loop = self.supervisor.loops.get("healing")
        if loop is not None:
            loop.wake.set()

    def _service_changed(self, service: ManagedService, before: ServiceState) -> None:
        watch = self._watches.get(service.name)
        if watch is not None:
            watch.state_changed(before)
        self.parts.known_good.service_changed(service)
        words = f"{before} to {service.state}" + (f": {service.run.message}" if service.run.message else "")
        self.parts.records.event("service_state", service.subject, words)
        self._wake()

    def _fix_ended(self, issue: Issue) -> None:
        """Clearing and opening waited for the fix; it may even have outlived its service's place in the settings."""
        name = service_of(issue.subject)
        if name is None:
            return
        watch = self._watches.get(name)
        if watch is not None:
            watch.tell_again()
        else:
            cause = "the service is no longer configured"
            self.parts.monitoring.book.clear(issue.key, cause=cause, wall_now=self.clock.wall())

    def _issue_changed(self, issue: Issue, transition: Transition | None) -> None:
        parts = self.parts
        parts.records.issue(issue, transition)
        if transition is None:
            return
        parts.alerting.wake()
        if issue.state is IssueState.OPEN:
            log.warning(
                "issue_opened", issue=issue.id, type=issue.type.value, subject=issue.subject, summary=issue.summary
            )
            parts.records.event("issue_opened", issue.subject, f"#{issue.id} {issue.summary}")
            parts.optimization.on_issue(issue.subject)
            parts.goals.on_issue(issue)
            self._wake()
        elif issue.state is IssueState.RESOLVED:
            log.info("issue_resolved", issue=issue.id, subject=issue.subject, cause=transition.cause)
            parts.records.event("issue_resolved", issue.subject, f"#{issue.id} {transition.cause}")
            parts.healing.forget(issue)


def _is_cancelled() -> bool:
    """Whether the caller itself was cancelled, not only what it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
