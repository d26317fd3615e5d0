"""systemd over D-Bus: states by signals, acts as jobs that are waited for. One manager serves all units.

Nothing is polled: properties come with signals, and are read anew only after a (re)connection or a reload.

Who stopped a unit is told by the order of signals: one that is asked to stop has a job on it from before it goes down
until the job's JobRemoved; one that crashes or ends by itself has none.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

import structlog

from autonomyd.host.dbus import BusError, SystemBus

NAME = "org.freedesktop.systemd1"
PATH = "/org/freedesktop/systemd1"
MANAGER = f"{NAME}.Manager"
PROPERTIES = "org.freedesktop.DBus.Properties"
REFRESH_TRIES = 5
DOWN = frozenset({"inactive", "failed"})
SHUTDOWN = "shutdown.target"
"""On it lies a job whenever the machine goes down, in whatever way."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitState:
    """A unit as systemd last told. The words are systemd's own (`active`, `failed`, `running`, `exit-code`);
    `main_pid` and `exit_status` are 0 where there is none. `missing` has words when nothing is known.

    `job` is the id of the job on it, `stopping` that of the job it went down with until that job's end is understood;
    0 for none. `asked`: the last thing that happened to it was that somebody else had it stopped. `ending`: the
    machine is shutting down."""

    load: str = ""
    active: str = ""
    sub: str = ""
    main_pid: int = 0
    result: str = ""
    exit_status: int = 0
    missing: str = ""
    job: int = 0
    stopping: int = 0
    asked: bool = False
    ending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitInfo:
    """A row of the list of units."""

    name: str
    description: str
    load: str
    active: str
    sub: str


class JobFailedError(Exception):
    """systemd ended a job without success. `result` is its word: failed, timeout, dependency, canceled, ..."""

    def __init__(self, message: str, result: str) -> None:
        super().__init__(message)
        self.result = result


@dataclass(slots=True, kw_only=True)
class _Watched:
    path: str
    state: UnitState
    listeners: list[Callable[[UnitState], None]]
    signals: int = 0
    own_job: int = 0
    start_job: int = 0
    fallen_job: int = 0
    judging: int = 0
    ended_job: int = 0


class SystemdManager:
    """The service manager of this machine. Made without contact; `open` connects (idempotent), `close` ends it."""

    def __init__(self) -> None:
        self._bus = SystemBus(on_signal=self._heard, on_up=self._connected, on_down=self._lost)
        self._units: dict[str, _Watched] = {}
        self._by_path: dict[str, str] = {}
        self._waiting = 0
        self._jobs: dict[str, asyncio.Future[str]] = {}
        self._done_early: dict[str, str] = {}
        self._acts: dict[str, int] = {}
        self._ending = False
        self._ended_meanwhile: set[str] = set()
        self._refreshing: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Returns after the first attempt to connect. Raises BusMissingError: no dbus-fast."""
        await self._bus.open()

    async def close(self) -> None:
        for task in tuple(self._refreshing):
            task.cancel()
        await asyncio.gather(*self._refreshing, return_exceptions=True)
        await self._bus.close()

    async def watch(self, unit: str, listener: Callable[[UnitState], None]) -> UnitState:
        """The unit's state now; from then on `listener` gets each change, `missing` included. Raises nothing: what
        cannot be known now is told when it can."""
        watched = self._units.get(unit)
        if watched is None:
            watched = _Watched(path=unit_path(unit), state=UnitState(missing="not asked yet"), listeners=[])
            self._units[unit] = watched
            self._by_path[watched.path] = unit
            if self._bus.connected:
                try:
                    await self._follow(unit)
                except BusError as error:
                    watched.state = UnitState(missing=str(error))
            else:
                watched.state = UnitState(missing="no connection to the system bus")
        watched.listeners.append(listener)
        return watched.state

    async def unwatch(self, unit: str, listener: Callable[[UnitState], None]) -> None:
        watched = self._units.get(unit)
        if watched is None or listener not in watched.listeners:
            return
        watched.listeners.remove(listener)
        if not watched.listeners:
            del self._units[unit]
            del self._by_path[watched.path]
            if self._bus.connected:
                try:
                    await self._bus.remove_match(_rule(watched.path))
                except BusError as error:
                    log.debug("unwatch_failed", unit=unit, error=str(error))

    async def run_job(self, method: str, unit: str, *, timeout_s: float) -> None:
        """StartUnit, StopUnit or RestartUnit; returns when systemd has done it.

        Raises JobFailedError, BusError (not found, not allowed, no connection), TimeoutError."""
        self._waiting += 1
        self._acts[unit] = 0
        self._overrule(unit)
        try:
            async with asyncio.timeout(timeout_s):
                (job,) = await self._manager(method, "ss", (unit, "replace"))
                self._acts[unit] = int(job.rpartition("/")[2])
                result = await self._job_result(job)
        finally:
            self._waiting -= 1
            self._acts.pop(unit, None)
            if not self._waiting:
                self._done_early.clear()
        await self._refresh(unit)
        if result not in {"done", "skipped"}:
            raise JobFailedError(f"{method} {unit}: {result}", result)

    async def kill(self, unit: str, signal_number: int) -> None:
        """Signals every process of the unit. Raises BusError."""
        await self._manager("KillUnit", "ssi", (unit, "all", signal_number))

    async def reset_failed(self, unit: str) -> None:
        """Lets a unit start again that used up its start limit. Raises BusError."""
        await self._manager("ResetFailedUnit", "s", (unit,))

    async def list_units(self, pattern: str = "*.service") -> tuple[UnitInfo, ...]:
        """The loaded, active units whose names fit the shell pattern. Raises BusError."""
        (rows,) = await self._manager("ListUnitsByPatterns", "asas", (["active"], [pattern]))
        return tuple(
            UnitInfo(name=row[0], description=row[1], load=row[2], active=row[3], sub=row[4])
            for row in rows
            if row[2] == "loaded"
        )

    async def _manager(self, member: str, signature: str = "", body: tuple[Any, ...] = ()) -> list[Any]:
        return await self._bus.call(NAME, PATH, MANAGER, member, signature, body)

    async def _connected(self) -> None:
        await self._bus.add_match(
            f"type='signal',sender='{NAME}',path='{PATH}',interface='{MANAGER}',member='JobRemoved'"
        )
        await self._bus.add_match(
            f"type='signal',sender='{NAME}',path='{PATH}',interface='{MANAGER}',member='Reloading'"
        )
        await self._bus.add_match(
            f"type='signal',sender='{NAME}',path='{PATH}',interface='{MANAGER}',member='JobNew',arg2='{SHUTDOWN}'"
        )
        await self._manager("Subscribe")
        for unit in tuple(self._units):
            await self._follow(unit)

    def _lost(self, words: str) -> None:
        for future in self._jobs.values():
            future.set_exception(BusError(words))
            future.exception()  # a caller that gave up no longer asks, and that is no fault to log
        self._jobs.clear()
        self._ending = False
        for watched in self._units.values():
            self._set(watched, UnitState(missing=words))

    async def _follow(self, unit: str) -> None:
        await self._bus.add_match(_rule(self._units[unit].path))
        await self._refresh(unit)

    async def _refresh(self, unit: str) -> None:
        """Reads the unit's state; again when a signal came meanwhile, whose news the answer may not hold."""
        watched = self._units.get(unit)
        if watched is None:
            return
        for _ in range(REFRESH_TRIES):
            before = watched.signals
            state = await self._read(unit, watched.path)
            if watched.signals == before:
                break
        if state.missing:
            self._set(watched, state)
        else:
            known = watched.state
            self._moved(unit, watched, replace(state, stopping=known.stopping, asked=known.asked))

    async def _read(self, unit: str, path: str) -> UnitState:
        (rows,) = await self._manager("ListUnitsByNames", "as", ([unit],))
        if not rows:
            return UnitState(missing="unit not found")
        row = rows[0]
        state = UnitState(load=row[2], active=row[3], sub=row[4], job=row[7])
        if not unit.endswith(".service") or state.load != "loaded":
            return state
        main_pid, result, status = await asyncio.gather(
            *(
                self._bus.call(NAME, path, PROPERTIES, "Get", "ss", (f"{NAME}.Service", name))
                for name in ("MainPID", "Result", "ExecMainStatus")
            )
        )
        return replace(state, main_pid=main_pid[0].value, result=result[0].value, exit_status=status[0].value)

    def _heard(self, path: str, member: str, body: list[Any]) -> None:
        if member == "PropertiesChanged":
            unit = self._by_path.get(path, "")
            watched = self._units.get(unit)
            if watched is not None and len(body) >= 2:
                watched.signals += 1
                self._moved(unit, watched, _changed(watched.state, body[1]))
        elif member == "JobRemoved" and len(body) >= 4:
            self._job_left(body[0], body[2], body[3])
            self._job_done(body[1], body[3])
        elif member == "JobNew" and len(body) >= 3 and body[2] == SHUTDOWN:
            self._set_ending(True)
        elif member == "Reloading" and body == [False]:
            # Unit files were read anew: what was not found may be there now, and the other way round.
            self._spawn(self._refresh_each(tuple(self._units)))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="systemd-refresh")
        self._refreshing.add(task)
        task.add_done_callback(self._refreshing.discard)

    async def _refresh_each(self, units: tuple[str, ...]) -> None:
        for unit in units:
            try:
                await self._refresh(unit)
            except BusError as error:
                log.debug("unit_refresh_failed", unit=unit, error=str(error))

    async def _job_result(self, job: str) -> str:
        if job in self._done_early:
            return self._done_early[job]
        # Two callers that ask for the same thing get the same job.
        future = self._jobs.setdefault(job, asyncio.get_running_loop().create_future())
        return await asyncio.shield(future)

    def _job_done(self, job: str, result: str) -> None:
        future = self._jobs.pop(job, None)
        if future is not None:
            future.set_result(result)
        elif self._waiting:
            self._done_early[job] = result

    # --- who stopped it ------------------------------------------------------------------------------------------

    def _moved(self, unit: str, watched: _Watched, state: UnitState) -> None:
        """Take a state in, with what follows from the state before it."""
        before = watched.state
        if state.job and state.job != before.job:
            if self._is_ours(unit, state.job):
                watched.own_job = state.job
            elif state.active not in DOWN and not _starts(state):
                # At once: one that it is bound to and that died may be healed before this one has ended.
                watched.judging = state.job
                self._spawn(self._judge(unit, watched, state.job))
        if state.active not in DOWN:
            state = replace(state, stopping=0, asked=False)
            if _starts(state):
                watched.start_job = state.job
        elif before.active and before.active not in DOWN:
            stops = state.job and state.job != watched.start_job and not _starts(before)
            state = replace(state, stopping=state.job if stops else 0, asked=False)
        elif state.stopping and not state.job and state.stopping != watched.judging:
            # Its end was not heard, and a dead unit that counts as stopping would never be healed.
            state = replace(state, stopping=0)
        self._set(watched, replace(state, ending=self._ending))

    def _is_ours(self, unit: str, job: int) -> bool:
        """Whether a job that is new on a unit came from an act of this daemon. A stop or a restart puts jobs on units
        that require the one it is about too, so every job that appears meanwhile counts, but not one that takes the
        place of our own."""
        if not self._acts:
            return False
        return self._acts.get(unit, 0) in (0, job)

    def _overrule(self, unit: str) -> None:
        """What this daemon does now comes after what others asked for."""
        watched = self._units.get(unit)
        if watched is not None and watched.state.asked:
            self._set(watched, replace(watched.state, asked=False))

    def _job_left(self, job: int, unit: str, result: str) -> None:
        if unit == SHUTDOWN and result != "done":
            self._set_ending(False)
        if result == "done" and self._judges():
            self._ended_meanwhile.add(unit)
        watched = self._units.get(unit)
        if watched is None or not job or watched.state.stopping != job:
            return
        if watched.judging == job and result == "done":
            watched.ended_job = job
        else:
            # Our own act; or a restart whose second half went wrong.
            outside = job not in (watched.own_job, watched.fallen_job) and not self._ending
            self._set(watched, replace(watched.state, stopping=0, job=0, asked=outside and result == "done"))

    async def _judge(self, unit: str, watched: _Watched, job: int) -> None:
        """Find out whether systemd itself stops it because one that it is bound to died. Nobody wished for that. One
        whose job ended before the answer came did not die: it was stopped, as this one is."""
        try:
            (bound,) = await self._bus.call(NAME, watched.path, PROPERTIES, "Get", "ss", (f"{NAME}.Unit", "BindsTo"))
            (rows,) = await self._manager("ListUnitsByNames", "as", (bound.value,)) if bound.value else ((),)
            fallen = any(row[3] != "active" and not row[7] and row[0] not in self._ended_meanwhile for row in rows)
        except BusError as error:
            log.debug("stop_not_understood", unit=unit, error=str(error))
            fallen = True
        watched.fallen_job = job if fallen else 0
        if watched.judging == job:
            watched.judging = 0
            if watched.ended_job == job:
                self._job_left(job, unit, "done")
        if not self._judges():
            self._ended_meanwhile.clear()

    def _judges(self) -> bool:
        return any(each.judging for each in self._units.values())

    def _set_ending(self, ending: bool) -> None:
        self._ending = ending
        for watched in self._units.values():
            self._set(watched, replace(watched.state, ending=ending))

    def _set(self, watched: _Watched, state: UnitState) -> None:
        if state == watched.state:
            return
        watched.state = state
        for listener in tuple(watched.listeners):
            listener(state)


def unit_path(unit: str) -> str:
    """The object path of a unit: every byte but letters and digits (and a leading digit) as _xx."""
    escaped = re.sub(r"^[0-9]|[^A-Za-z0-9]", lambda found: f"_{ord(found[0]):02x}", unit.encode().decode("latin-1"))
    return f"{PATH}/unit/{escaped}"


def _starts(state: UnitState) -> bool:
    """Whether the job on it is one that starts it. A unit that waits for RestartSec= has none of these."""
    return state.active == "activating" and not state.sub.startswith("auto-restart")


def _rule(path: str) -> str:
    return f"type='signal',sender='{NAME}',path='{path}',interface='{PROPERTIES}',member='PropertiesChanged'"


def _changed(state: UnitState, values: dict[str, Any]) -> UnitState:
    """The state with what a signal of either of the unit's interfaces brought."""
    fields = {
        "LoadState": "load",
        "ActiveState": "active",
        "SubState": "sub",
        "MainPID": "main_pid",
        "Result": "result",
        "ExecMainStatus": "exit_status",
    }
    news = {fields[name]: variant.value for name, variant in values.items() if name in fields}
    if "Job" in values:
        news["job"] = values["Job"].value[0]
    return replace(state, **news) if news else state
