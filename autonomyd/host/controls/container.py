"""`type = "container"`: a container of Docker or Podman. The engine tells by events; nothing is polled.

A container that is not there is `unknown`, not gone: autonomyd cannot know whether somebody removed it for good, and
makes none out of nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from autonomyd.host.containers.api import EngineFailure, EngineRefusal, part
from autonomyd.host.containers.engine import ContainerEngine
from autonomyd.host.containers.inspected import ContainerState, ended_words
from autonomyd.host.containers.recreate import Recreation
from autonomyd.host.controls.protocol import ControlError, ErrorKind, OnChange, PlainControl
from autonomyd.host.process import read_process
from autonomyd.model.service import RunState, ServiceRun
from autonomyd.settings.container import ContainerControl

ASKED = "stopped through the container engine, not by autonomyd"
START_TIMEOUT_S = 60.0
BEYOND_STOP_S = 30.0
"""For the engine's own work around a stop."""

STATES = {
    "created": RunState.GONE,
    "configured": RunState.GONE,
    "initialized": RunState.GONE,
    "running": RunState.RUNNING,
    "paused": RunState.FROZEN,
    "restarting": RunState.STARTING,
    "stopping": RunState.STOPPING,
    "removing": RunState.STOPPING,
    "stopped": RunState.GONE,
    "exited": RunState.GONE,
    "dead": RunState.GONE,
}
"""By the engines' words: those of Docker, and those that Podman adds."""

T = TypeVar("T")


class ControlledContainer(PlainControl):
    """One container."""

    kind = "container"

    def __init__(self, name: str, settings: ContainerControl, *, engine: ContainerEngine) -> None:
        self.name = name
        self._container = settings.name
        self._engine = engine
        self._stop_timeout_s = settings.stop_timeout_s
        self._reload_signal = settings.reload_signal
        self._recreation = Recreation(engine.api, settings.name, stop_timeout_s=settings.stop_timeout_s)
        self._lock = asyncio.Lock()
        self._on_change: OnChange | None = None
        self._state = ContainerState(missing="not asked yet")

    async def open(self, on_change: OnChange) -> ServiceRun:
        self._on_change = on_change
        await self._engine.open()
        self._state = await self._engine.watch(self._container, self._heard)
        return self.observe()

    def observe(self) -> ServiceRun:
        return run_of(self._state)

    async def start(self) -> ServiceRun:
        return await self._act(self._start)

    async def stop(self, *, force: bool = False) -> ServiceRun:
        return await self._act(lambda: self._stop(force=force))

    async def restart(self) -> ServiceRun:
        return await self._act(self._restart)

    @property
    def can_reload(self) -> bool:
        return self._reload_signal is not None

    async def reload(self) -> ServiceRun:
        if self._reload_signal is None:
            raise ControlError("it has no reload_signal, so it can't be told to read anew", ErrorKind.OPERATOR)
        return await self._act(lambda: self._post("kill", signal=f"SIG{self._reload_signal}"))

    async def recreate(self) -> tuple[ServiceRun, str]:
        """Puts a new container of the same description in its place; (what runs then, words for it). Raises
        ControlError."""
        words = await self._with_engine(self._recreation.make_anew)
        return self.observe(), words

    async def take_back(self) -> str | None:
        """The container from before `recreate` again, running; None where there is nothing to take back. Raises
        ControlError."""
        return await self._with_engine(self._recreation.take_back)

    async def keep(self) -> str | None:
        """Lets the container from before `recreate` go. Raises ControlError."""
        return await self._with_engine(self._recreation.keep)

    async def close(self) -> None:
        self._on_change = None
        self._engine.unwatch(self._container, self._heard)

    async def _with_engine(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do something to the container that nobody else's act overlaps, and that counts as ours. Raises
        ControlError."""
        async with self._lock:
            with self._engine.acting(self._container):
                try:
                    return await act()
                except EngineRefusal as error:
                    kind = ErrorKind.OPERATOR if error.status in (400, 404) else ErrorKind.TRANSIENT
                    raise ControlError(f"{self._container}: {error}", kind) from error
                except EngineFailure as error:
                    raise ControlError(str(error), ErrorKind.TRANSIENT) from error
                finally:
                    await self._engine.refresh(self._container)

    async def _act(self, act: Callable[[], Awaitable[None]]) -> ServiceRun:
        await self._with_engine(act)
        return self.observe()

    async def _start(self) -> None:
        state = await self._present()
        if state.status == "paused":
            await self._post("unpause")
        elif state.status != "running":
            # one that waits for its next try by a restart policy counts as running to a start
            await self._post("restart" if state.status == "restarting" else "start")

    async def _stop(self, *, force: bool) -> None:
        if (await self._thawed()).status in ("running", "restarting", "stopping"):
            wait_s = 0 if force else max(1, round(self._stop_timeout_s))
            await self._post("stop", timeout_s=wait_s + BEYOND_STOP_S, t=str(wait_s))

    async def _restart(self) -> None:
        await self._thawed()
        wait_s = max(1, round(self._stop_timeout_s))
        await self._post("restart", timeout_s=wait_s + START_TIMEOUT_S, t=str(wait_s))

    async def _thawed(self) -> ContainerState:
        """Neither engine stops or kills what is paused."""
        state = await self._present()
        if state.status != "paused":
            return state
        await self._post("unpause")
        return await self._present()

    async def _present(self) -> ContainerState:
        state = await self._engine.inspect(self._container)
        if state.absent:
            raise ControlError(
                f"{state.missing}: create it (docker run, docker compose up), autonomyd has no description of it",
                ErrorKind.OPERATOR,
            )
        return state

    async def _post(self, verb: str, *, timeout_s: float = START_TIMEOUT_S, **query: str) -> None:
        path = f"/containers/{part(self._container)}/{verb}"
        await self._engine.api.ask("POST", path, query=query, timeout_s=timeout_s)

    def _heard(self, state: ContainerState) -> None:
        before, self._state = run_of(self._state), state
        after = self.observe()
        if after != before and self._on_change is not None:
            self._on_change(after)


def run_of(state: ContainerState) -> ServiceRun:
    """A container's state in the daemon's words. Reads /proc for the main process, if there is one."""
    if state.missing:
        return ServiceRun(state=RunState.UNKNOWN, message=state.missing)
    run = STATES.get(state.status, RunState.UNKNOWN)
    if run is RunState.GONE:
        if state.settling:
            # the next word says that it is gone, and it is known then whether that is a death
            return ServiceRun(state=RunState.RUNNING, message="it has ended; whether that was asked for shows soon")
        return ServiceRun(state=run, message=ASKED if state.asked else ended_words(state), asked=state.asked)
    return ServiceRun(state=run, pid=_pid_here(state), started_at=state.started_at, message=_words(state, run))


def _words(state: ContainerState, run: RunState) -> str:
    if run is RunState.FROZEN:
        return "the container is paused"
    if run is RunState.STARTING:
        return f"the engine restarts it (exited with code {state.exit_code}, {state.restarts} restarts)"
    return f"the engine calls it {state.status}" if run is RunState.UNKNOWN else ""


def _pid_here(state: ContainerState) -> int | None:
    """The main process, when it is one of this machine: an engine in a virtual machine tells pids of another one."""
    if state.pid <= 0:
        return None
    try:
        with open(f"/proc/{state.pid}/cgroup", encoding="utf-8", errors="replace") as file:
            here = state.id in file.read()
    except OSError:
        return None
    return state.pid if here and read_process(state.pid) is not None else None
