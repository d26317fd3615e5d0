"""The container engine as the daemon lives with it: one stream of events, and the states of the containers that are
watched. Nothing is polled: a container is inspected when an event speaks of it, and after a (re)connection.

Who stopped a container is told by its events. A stop through Docker ends in `stop`; one through Podman does so or,
where it lost the race against Podman's own cleaning up, in a second `cleanup` (the first follows every death). A kill
(`docker kill`, a signal from anywhere) is followed by neither: it is no wish that the container stay down. So a death
is judged SETTLE_S after the last of these events, later on a machine that is seen to be slow.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from autonomyd.aio.backoff import Backoff
from autonomyd.aio.clock import Clock
from autonomyd.host.containers.api import EngineApi, EngineFailure, EngineRefusal, lines, parsed, part
from autonomyd.host.containers.inspected import ContainerState, number, rows, state_of, table, text

RECONNECT = Backoff(first_s=0.1, cap_s=5.0)
INSPECT_AGAIN_S = 1.0
"""After an inspection that failed while events still come."""
SETTLE_S = 0.15
"""From one event of a death to the next; both engines need some tens of milliseconds."""
SETTLE_LAGS = 3.0
"""The next event may take so much longer than the first took after the death: on a busy machine both are late."""
CLEANED_WITHIN_S = 2.0
"""Podman cleans up after a death by a program of its own, which takes longer on a busy machine."""
FIRST_ANSWER_S = 5.0
ENDED = frozenset({"exited", "stopped", "dead"})
LEAST_ID = 12
"""Digits from which on a name in the configuration may be the beginning of an id."""
UNHEARD = frozenset({"top", "attach", "resize", "exec_create", "exec_start", "exec_die", "exec_died", "exec", "copy"})
"""Events that tell nothing about the state of a container; health checks cause many."""

Listener = Callable[[ContainerState], None]

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class _Watched:
    state: ContainerState
    listeners: list[Listener] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    due: bool = False
    acting: int = 0
    acted_until: float = 0.0
    stopped: bool = False
    cleanups: int = 0
    died_at: float = 0.0
    killed: bool = False
    asked: bool = False
    judging: asyncio.TimerHandle | None = None


class ContainerEngine:
    """Made without contact; `open` connects (idempotent), `close` ends it. It reconnects with backoff."""

    def __init__(self, api: EngineApi, clock: Clock) -> None:
        self.api = api
        self._clock = clock
        self._watched: dict[str, _Watched] = {}
        self._keeper: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()
        self._cleans_up = False
        self._lost = "not asked yet"
        self._newest = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Returns after the first attempt to connect, successful or not."""
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep(), name="container-events")
        await self._tried.wait()

    async def close(self) -> None:
        tasks = [*self._tasks, *([self._keeper] if self._keeper is not None else [])]
        self._keeper = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for watched in self._watched.values():
            _unjudge(watched)

    async def watch(self, name: str, listener: Listener) -> ContainerState:
        """The state of the container with this name or id now; from then on `listener` gets each change. Raises
        nothing: what can't be known now is told when it can."""
        watched = self._watched.get(name)
        if watched is None:
            watched = self._watched[name] = _Watched(state=ContainerState(missing=self._lost or "not asked yet"))
            if not self._lost:
                await self.refresh(name)
        watched.listeners.append(listener)
        return watched.state

    def unwatch(self, name: str, listener: Listener) -> None:
        watched = self._watched.get(name)
        if watched is not None and listener in watched.listeners:
            watched.listeners.remove(listener)
            if not watched.listeners:
                _unjudge(watched)
                del self._watched[name]

    @contextlib.contextmanager
    def acting(self, name: str) -> Iterator[None]:
        """What happens to the container meanwhile is this daemon's own act, and nobody's wish."""
        watched = self._watched.get(name)
        if watched is None:
            yield
            return
        watched.acting += 1
        self._forget_death(watched)
        try:
            yield
        finally:
            watched.acting -= 1
            watched.acted_until = self._clock.wall()
            self._forget_death(watched)

    async def inspect(self, name: str) -> ContainerState:
        """The state as the engine tells it now; `absent` when there is no such container. Raises EngineFailure."""
        try:
            return state_of(await self.api.ask("GET", f"/containers/{part(name)}/json", trial=True))
        except EngineRefusal as error:
            if error.status != 404:
                raise
            return ContainerState(name=name, missing=f"there is no container {name}", absent=True)

    async def refresh(self, name: str) -> None:
        """Inspect a watched container and take its state in. Raises nothing: a failure is a state too."""
        watched = self._watched.get(name)
        if watched is None:
            return
        async with watched.lock:
            try:
                state = await self.inspect(name)
            except EngineFailure as error:
                state = ContainerState(missing=str(error))
                if not self._lost:
                    asyncio.get_running_loop().call_later(INSPECT_AGAIN_S, self._refresh_soon, name)
            if (
                _died(watched.state, state, followed=self._newest > 0)
                and watched.judging is None
                and not watched.acting
            ):
                # the answer is ahead of the events
                self._judge_in(SETTLE_S if watched.cleanups else self._death_s, name, watched)
            self._set(watched, state)

    # --- the stream of events ------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        attempt = 0
        while True:
            began = self._clock.monotonic()
            try:
                await self._listen()
                lost = "the container engine ended its stream of events"
            except EngineFailure as error:
                lost = str(error)
            if lost != self._lost:
                log.warning("container_events_lost", reason=lost)
            self._lost = lost
            self._tried.set()
            for watched in self._watched.values():
                _unjudge(watched)
                self._set(watched, ContainerState(missing=lost))
            attempt = 0 if self._clock.monotonic() - began > RECONNECT.cap_s else attempt + 1
            await asyncio.sleep(RECONNECT.delay_s(attempt, luck=random.random()))

    async def _listen(self) -> None:
        """Connects, and returns when the stream ends. What happened since the newest event heard is told first."""
        known = self._newest
        since = known or int(self._clock.wall() * 1e9)
        query = {"filters": {"type": ["container"]}, "since": f"{since // 10**9}.{since % 10**9:09d}"}
        async with self.api.stream("/events", query=query) as pieces:
            await self._meet()
            self._lost = ""
            for name in tuple(self._watched):
                await self.refresh(name)
            self._tried.set()
            log.info("container_events_connected")
            await self._hear_all(pieces, known)

    async def _meet(self) -> None:
        """The engine answers, which its silent stream does not tell; and it says whether it is Podman."""
        version = table(await self.api.ask("GET", "/version", timeout_s=FIRST_ANSWER_S, trial=True))
        self._cleans_up = any("podman" in text(each.get("Name")).lower() for each in rows(version.get("Components")))

    async def _hear_all(self, pieces: AsyncIterator[bytes], known: int) -> None:
        async for line in lines(pieces):
            event = table(parsed(line))
            at = number(event.get("timeNano"))
            if event.get("Type") == "container" and at > known:
                self._newest = max(at, self._newest)
                self._hear(event, at / 1e9)

    def _hear(self, event: Mapping[str, Any], at: float) -> None:
        actor = table(event.get("Actor"))
        ident, name = text(actor.get("ID")), text(table(actor.get("Attributes")).get("name"))
        action = text(event.get("Action"))
        if not ident or action in UNHEARD or action.startswith(("exec_create", "exec_start")):
            return
        for key, watched in self._watched.items():
            if key == name or ident == watched.state.id or (len(key) >= LEAST_ID and ident.startswith(key)):
                if not watched.acting and at > watched.acted_until:
                    self._note(key, watched, action, ident, at)
                self._refresh_soon(key)

    def _note(self, key: str, watched: _Watched, action: str, ident: str, at: float) -> None:
        """Take in what an event says about who did it."""
        if action == "start":
            self._forget_death(watched)
        elif watched.state.id not in ("", ident):
            return  # another container of that name, which is not the one that ran
        elif action == "stop":
            watched.stopped = True
        elif action == "kill":
            watched.killed = True
        elif action == "cleanup":
            watched.cleanups += 1
            if watched.judging is not None:
                lag_s = at - watched.died_at if watched.died_at else 0.0
                self._judge_in(min(CLEANED_WITHIN_S, max(SETTLE_S, SETTLE_LAGS * lag_s)), key, watched)
        elif action == "die":
            watched.died_at = at
            self._judge_in(SETTLE_S if watched.cleanups else self._death_s, key, watched)
        if watched.stopped or (watched.cleanups > 1 and not watched.killed):
            watched.asked = True
            self._set(watched, watched.state)

    @property
    def _death_s(self) -> float:
        """From a death to the first event after it."""
        return CLEANED_WITHIN_S if self._cleans_up else SETTLE_S

    def _judge_in(self, wait_s: float, key: str, watched: _Watched) -> None:
        _unjudge(watched)
        watched.judging = asyncio.get_running_loop().call_later(wait_s, self._judge, key)

    def _judge(self, key: str) -> None:
        """All that a stop would have caused has been heard by now."""
        watched = self._watched.get(key)
        if watched is not None:
            watched.judging = None
            self._set(watched, watched.state)

    def _forget_death(self, watched: _Watched) -> None:
        _unjudge(watched)
        watched.stopped = watched.killed = watched.asked = False
        watched.cleanups, watched.died_at = 0, 0.0
        self._set(watched, watched.state)

    def _refresh_soon(self, name: str) -> None:
        watched = self._watched.get(name)
        if watched is None or watched.due or self._keeper is None:
            return
        watched.due = True
        task = asyncio.get_running_loop().create_task(self._refresh_due(name, watched), name="container-refresh")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _refresh_due(self, name: str, watched: _Watched) -> None:
        watched.due = False  # an event that comes from here on is not in this answer for sure
        await self.refresh(name)

    def _set(self, watched: _Watched, state: ContainerState) -> None:
        gone = state.status in ENDED and not state.missing
        state = replace(state, asked=watched.asked and gone, settling=watched.judging is not None and not watched.asked)
        if state == watched.state:
            return
        watched.state = state
        for listener in tuple(watched.listeners):
            listener(state)


def _died(before: ContainerState, now: ContainerState, *, followed: bool) -> bool:
    """Whether it has ended since it was seen last. `followed`: events were heard before, so that one that was out of
    sight may have been stopped meanwhile, which they will tell."""
    ended = now.status in ENDED and not now.missing
    return ended and (before.status not in (*ENDED, "") or (bool(before.missing) and followed))


def _unjudge(watched: _Watched) -> None:
    if watched.judging is not None:
        watched.judging.cancel()
        watched.judging = None
