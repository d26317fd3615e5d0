"""Remembers what a service was configured with, and which release it ran, whenever it has been verified healthy.

Only what the running process can have read counts: a file that was edited under it proves nothing."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.aio.offload import in_thread
from autonomyd.engine.managed import ManagedService
from autonomyd.host.config_files import (
    Stamp,
    UnsteadyFile,
    leads_somewhere,
    link_of,
    real_link,
    real_path,
    stamp_of,
    steady_content,
)
from autonomyd.host.editing.change import problem_of
from autonomyd.host.failure import FileRefused
from autonomyd.host.filestate import replaceable
from autonomyd.host.objects import ObjectError, ObjectStore
from autonomyd.model.change import FileKind, FileState
from autonomyd.model.known_good import GoodState
from autonomyd.model.reading import ReadingState
from autonomyd.model.service import ServiceState

SAMPLES = 2
"""Good readings of every check since the process started (or was reloaded)."""
ALIVE_S = 3.0
"""Least life of a process with checks: what dies at once after its start was never healthy."""
ALIVE_UNCHECKED_S = 30.0
"""The same where no check tells anything."""
AGAIN_S = 300.0
"""Between two looks while it stays healthy."""
SOON_S = 1.0
"""Until the next look at a service that is up and not verified yet."""
SOON_CAP_S = 30.0
KEPT = 5
"""Snapshots of one path; the store keeps as many."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Since when (epoch seconds) the verified process has surely had its files; `reloaded`: it was told to read them
    anew, which it may have refused."""

    since_at: float
    reloaded: bool = False


class KnownGood:
    """`run` is the loop; `goods_of` and `referenced` answer from memory."""

    def __init__(
        self,
        *,
        clock: Clock,
        services: Callable[[], Mapping[str, ManagedService]],
        objects: ObjectStore,
        remember: Callable[[GoodState], None],
    ) -> None:
        self._clock = clock
        self._services = services
        self._objects = objects
        self._remember = remember
        self._goods: dict[tuple[str, str], list[GoodState]] = {}
        self._seen: dict[tuple[str, str], Stamp] = {}
        self._due: dict[str, float] = {}
        self._wait_s: dict[str, float] = {}
        self._wake = asyncio.Event()
        self._complete = False

    def restore(self, goods: Iterable[GoodState] | None) -> None:
        """Take what the store remembers, newest first; None when it can't be read."""
        self._complete = goods is not None
        for good in goods or ():
            self._goods.setdefault((good.service, good.path), []).append(good)

    def goods_of(self, service: str, path: str) -> tuple[GoodState, ...]:
        """The snapshots of one path, newest first."""
        return tuple(self._goods.get((service, path), ()))

    def referenced(self) -> set[str] | None:
        """Every content in the object store that a snapshot names; None while that is not known: collect nothing."""
        if not self._complete:
            return None
        return {good.state.sha256 for goods in self._goods.values() for good in goods if good.state.sha256}

    def changed(self, name: str) -> bool:
        """Whether a file or the release link of the service is not as it was when it was last looked at. Costs a stat
        each; False for what was not looked at since the daemon began."""
        service = self._services().get(name)
        if service is None:
            return False
        release = service.settings.release
        links = () if release is None else (release.link,)
        looked = [(path, False) for path in service.settings.config_files] + [(path, True) for path in links]
        return any(
            (name, path) in self._seen and _stamp(path, link=link) != self._seen[name, path] for path, link in looked
        )

    def service_changed(self, service: ManagedService) -> None:
        """Its state changed: when it came up it is looked at as soon as it can have been verified."""
        if service.state is ServiceState.UP and _has_files(service):
            self._look_soon(service.name)

    async def run(self) -> None:
        """Look at what is due, for ever; sleeps while no service with such files is up."""
        while True:
            now = self._clock.monotonic()
            for name in [name for name, at in self._due.items() if at <= now]:
                await self._turn(name)
            self._wake.clear()
            soonest = min(self._due.values(), default=None)
            try:
                async with asyncio.timeout(None if soonest is None else max(0.0, soonest - self._clock.monotonic())):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def look(self, service: ManagedService) -> bool:
        """Keep what has changed since the last snapshot, when it is proven. False when it is not verified (yet)."""
        proof = self.proof_of(service)
        if proof is None:
            return False
        for path in service.settings.config_files:
            await self._keep(service, path, proof, _file_state)
        release = service.settings.release
        if release is not None:
            await self._keep(service, release.link, proof, _link_state)
        return True

    def proof_of(self, service: ManagedService) -> Proof | None:
        """That the service is verified healthy now; None while it is not, or while that is not known."""
        started_at = service.run.started_at
        if service.state is not ServiceState.UP or service.operating or service.holders or not started_at:
            return None
        reloaded = service.reloaded_at > started_at
        alive_s = self._clock.monotonic() - service.settled_from
        if not reloaded:
            alive_s = max(alive_s, self._clock.wall() - started_at)
        checks = service.checks.values()
        if alive_s < (ALIVE_S if checks else ALIVE_UNCHECKED_S):
            return None
        if checks and not service.verified(samples=SAMPLES, since=service.settled_from):
            return None
        if any(check.last is None or check.last.state is not ReadingState.OK for check in checks):
            return None  # one that can't tell leaves open whether all is well
        return Proof(since_at=max(service.reloaded_at, started_at), reloaded=reloaded)

    async def _turn(self, name: str) -> None:
        service = self._services().get(name)
        if service is None or service.state is not ServiceState.UP or not _has_files(service):
            self._due.pop(name, None)
            self._wait_s.pop(name, None)
            return
        try:
            proven = await self.look(service)
        except Exception:  # the boundary of a look: one service's files must not end the loop for all
            log.exception("known_good_look_failed", service=name)
            proven = True
        wait_s = AGAIN_S if proven else self._wait_s.get(name, SOON_S)
        self._wait_s[name] = SOON_S if proven else min(2 * wait_s, SOON_CAP_S)
        self._due[name] = self._clock.monotonic() + wait_s

    def _look_soon(self, name: str) -> None:
        """As soon as it can have been verified."""
        self._wait_s[name] = SOON_S
        self._due[name] = self._clock.monotonic() + ALIVE_S
        self._wake.set()

    async def _keep(self, service: ManagedService, path: str, proof: Proof, capture: "Capture") -> None:
        key = (service.name, path)
        seen = self._seen.get(key)
        try:
            found = await in_thread(lambda: capture(path, seen, proof, self._objects))
        except (OSError, ObjectError, UnsteadyFile) as error:
            log.warning("known_good_not_kept", service=service.name, path=path, reason=str(error))
            return
        if found is None or self.proof_of(service) is None:  # nothing new, or it fell ill while the file was read
            return
        self._seen[key], state = found
        if problem := await in_thread(lambda: _why_not_replaceable(path, link=capture is _link_state)):
            # said now, in daylight: at night it would only be the reason why the fix could not be made
            log.warning("known_good_could_not_be_restored", service=service.name, path=path, reason=problem)
        good = GoodState(service=service.name, path=path, state=state, at=self._clock.wall())
        goods = self._goods.setdefault(key, [])
        if goods and goods[0].value == good.value:
            return
        goods[:] = [good, *(each for each in goods if each.value != good.value)][:KEPT]
        self._remember(good)
        log.info("known_good_kept", service=service.name, path=path)


Capture = Callable[[str, Stamp | None, Proof, ObjectStore], tuple[Stamp, FileState] | None]
"""(path, the stamp that was looked at last, ...) to what is to be kept; None when that is nothing. For a thread."""


def _stamp(path: str, *, link: bool) -> Stamp | None:
    try:
        found = link_of(path) if link else None
        return stamp_of(path) if not link else None if found is None else found[0]
    except OSError:
        return None


def _why_not_replaceable(path: str, *, link: bool) -> str:
    """Why a fix could not write `path`, "" when it could. For a thread."""
    try:
        replaceable(real_link(path) if link else real_path(path))
    except FileRefused as refused:
        return refused.message
    return ""


def _has_files(service: ManagedService) -> bool:
    return bool(service.settings.config_files or service.settings.release)


def _file_state(path: str, seen: Stamp | None, proof: Proof, objects: ObjectStore) -> tuple[Stamp, FileState] | None:
    stamp = stamp_of(path)
    if stamp is None or stamp == seen or stamp.changed_at > proof.since_at:
        return None  # gone, known, or edited since the process read it
    content = steady_content(path, stamp)
    if proof.reloaded and problem_of(content, path):
        return None  # a service that can't read its new file goes on with the old one
    return stamp, FileState(
        kind=FileKind.FILE,
        sha256=objects.put(content),
        mode=stamp.mode,
        uid=stamp.uid,
        gid=stamp.gid,
        mtime_ns=stamp.mtime_ns,
    )


def _link_state(path: str, seen: Stamp | None, proof: Proof, objects: ObjectStore) -> tuple[Stamp, FileState] | None:
    found = link_of(path)
    if found is None or found[0] == seen or found[0].changed_at > proof.since_at:
        return None
    if not leads_somewhere(path, found[1]):
        return None
    return found[0], FileState(kind=FileKind.LINK, target=found[1], uid=found[0].uid, gid=found[0].gid)
