"""`type = "systemd"`: a unit of the machine's service manager. It tells by signals; nothing is polled."""

import asyncio
from collections.abc import Awaitable
from signal import Signals

from autonomyd.host.controls.main_process import FROZEN_LETTER
from autonomyd.host.controls.protocol import ControlError, ErrorKind, OnChange, PlainControl
from autonomyd.host.dbus import BusError, BusMissingError
from autonomyd.host.process import read_process
from autonomyd.host.systemd import JobFailedError, SystemdManager, UnitState
from autonomyd.model.service import RunState, ServiceRun
from autonomyd.settings.control import SystemdControl

ASKED = "stopped through systemd, not by autonomyd"
START_TIMEOUT_S = 120.0
"""More than systemd's own 90 s, so that its verdict comes first."""

OPERATOR_ERRORS = frozenset(
    {
        "org.freedesktop.DBus.Error.AccessDenied",
        "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
        "org.freedesktop.DBus.Error.InvalidArgs",
        "org.freedesktop.systemd1.BadUnitSetting",
        "org.freedesktop.systemd1.LoadFailed",
        "org.freedesktop.systemd1.NoSuchUnit",
        "org.freedesktop.systemd1.OnlyByDependency",
        "org.freedesktop.systemd1.UnitMasked",
    }
)
OPERATOR_RESULTS = frozenset({"assert", "unsupported"})

STATES = {
    "active": RunState.RUNNING,
    "reloading": RunState.RUNNING,
    "refreshing": RunState.RUNNING,
    "activating": RunState.STARTING,
    "deactivating": RunState.STOPPING,
    "inactive": RunState.GONE,
    "failed": RunState.GONE,
}


class ControlledUnit(PlainControl):
    """One systemd unit."""

    kind = "systemd"

    def __init__(self, name: str, settings: SystemdControl, *, manager: SystemdManager | None) -> None:
        self.name = name
        self._unit = settings.unit
        self._can_reload = settings.reload
        self._stop_timeout_s = settings.stop_timeout_s
        self._own_manager = manager is None
        self._manager = manager or SystemdManager()
        self._lock = asyncio.Lock()
        self._on_change: OnChange | None = None
        self._state = UnitState(missing="not asked yet")

    async def open(self, on_change: OnChange) -> ServiceRun:
        self._on_change = on_change
        try:
            await self._manager.open()
        except BusMissingError as error:
            raise ControlError(str(error), ErrorKind.OPERATOR) from error
        self._state = await self._manager.watch(self._unit, self._heard)
        return self.observe()

    def observe(self) -> ServiceRun:
        return run_of(self._state)

    async def start(self) -> ServiceRun:
        async with self._lock:
            if self._state.active == "failed":
                # A unit that used up its start limit would refuse; the limits that count here are the daemon's.
                await self._act(self._manager.reset_failed(self._unit))
            # While systemd waits for RestartSec= a start job would wait with it, minutes maybe; a restart does not.
            method = "RestartUnit" if self._state.sub.startswith("auto-restart") else "StartUnit"
            await self._act(self._manager.run_job(method, self._unit, timeout_s=START_TIMEOUT_S))
            return self.observe()

    async def stop(self, *, force: bool = False) -> ServiceRun:
        async with self._lock:
            job = self._manager.run_job("StopUnit", self._unit, timeout_s=self._stop_timeout_s)
            # The job first: a unit that is only killed would be started again by its own Restart=.
            await self._act(self._stop_and_kill(job) if force else job)
            return self.observe()

    async def restart(self) -> ServiceRun:
        async with self._lock:
            if self._state.active == "failed":
                await self._act(self._manager.reset_failed(self._unit))
            timeout_s = self._stop_timeout_s + START_TIMEOUT_S
            await self._act(self._manager.run_job("RestartUnit", self._unit, timeout_s=timeout_s))
            return self.observe()

    @property
    def can_reload(self) -> bool:
        return self._can_reload

    async def reload(self) -> ServiceRun:
        if not self._can_reload:
            return await super().reload()
        async with self._lock:
            await self._act(self._manager.run_job("ReloadUnit", self._unit, timeout_s=START_TIMEOUT_S))
            return self.observe()

    async def close(self) -> None:
        self._on_change = None
        await self._manager.unwatch(self._unit, self._heard)
        if self._own_manager:
            await self._manager.close()

    async def _stop_and_kill(self, job: Awaitable[None]) -> None:
        stopping = asyncio.ensure_future(job)
        try:
            # The job's request is on the wire before the kill's: both go through one connection in order.
            await asyncio.sleep(0)
            await self._manager.kill(self._unit, Signals.SIGKILL)
        except BusError:
            # "No process to kill" is no failure here; whatever else is wrong, the job says.
            pass
        except BaseException:
            stopping.cancel()
            raise
        await stopping

    async def _act(self, work: Awaitable[None]) -> None:
        try:
            await work
        except BusError as error:
            kind = ErrorKind.OPERATOR if error.name in OPERATOR_ERRORS else ErrorKind.TRANSIENT
            raise ControlError(f"{self._unit}: {error}", kind) from error
        except JobFailedError as error:
            kind = ErrorKind.OPERATOR if error.result in OPERATOR_RESULTS else ErrorKind.TRANSIENT
            raise ControlError(f"{error} ({_why(self._state)})", kind) from error
        except TimeoutError as error:
            raise ControlError(f"{self._unit}: systemd's job took too long", ErrorKind.TRANSIENT) from error

    def _heard(self, state: UnitState) -> None:
        before, self._state = run_of(self._state), state
        after = self.observe()
        if after != before and self._on_change is not None:
            self._on_change(after)


def run_of(state: UnitState) -> ServiceRun:
    """A unit's state in the daemon's words. Reads /proc for the main process, if there is one."""
    if state.missing:
        return ServiceRun(state=RunState.UNKNOWN, message=state.missing)
    if state.load == "not-found":
        return ServiceRun(state=RunState.UNKNOWN, message="unit not found")
    if state.load not in {"loaded", ""}:
        return ServiceRun(state=RunState.UNKNOWN, message=f"unit is {state.load}")
    run_state = STATES.get(state.active, RunState.UNKNOWN)
    if run_state is RunState.GONE and (state.stopping or state.ending):
        # Its job is not over: it may be half of a restart, or be stopped on purpose.
        run_state = RunState.STOPPING
    message = _message(state, run_state)
    facts = read_process(state.main_pid) if state.main_pid > 0 else None
    if facts is None:
        return ServiceRun(state=run_state, message=message, asked=state.asked and run_state is RunState.GONE)
    if run_state is RunState.RUNNING and facts.state == FROZEN_LETTER:
        run_state = RunState.FROZEN
    return ServiceRun(state=run_state, pid=facts.pid, started_at=facts.started_at, message=message)


def _message(state: UnitState, run_state: RunState) -> str:
    if state.sub.startswith("auto-restart"):
        return f"systemd restarts it ({_why(state)})"
    if state.ending and run_state is RunState.STOPPING:
        return "the machine is shutting down"
    if run_state is RunState.GONE:
        if state.asked:
            return ASKED
        return "inactive" if state.result in {"success", ""} and state.active == "inactive" else _why(state)
    return "" if run_state is not RunState.UNKNOWN else f"unit is {state.active}"


def _why(state: UnitState) -> str:
    words = f"{state.active}: {state.result or state.sub}"
    return f"{words}, status {state.exit_status}" if state.exit_status else words
