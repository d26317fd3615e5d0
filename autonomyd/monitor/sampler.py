"""Runs the probes when they are due: each under its own deadline, spread over its period, none delaying another."""

import asyncio
import heapq
import math
import random
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import cast

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.model.reading import NO_VALUES, Reading, ReadingState
from autonomyd.model.secrets import masked
from autonomyd.model.subject import Subject
from autonomyd.monitor.probe import Look, Probe, QuickProbe, quick_of
from autonomyd.monitor.ring import SINGLE, MetricsRing

SLOTS_PER_PERIOD = 20
"""Due times are aligned to slots, so that many probes share one wake-up."""
MAX_SLOT_S = 0.5
IDLE_S = 60.0
TICK_S = 1e-6
"""What is due within this time is due now: no timer is finer, and a sum of floats is not exact."""

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class ScheduledProbe:
    """A probe, when it runs, and what its looks cost. `second_after_s`: rates need two looks, so the second comes
    this soon. `quick` is the look that is made without waiting, if the probe has one. `hedge_s`: a look that is not
    back after this time gets a second one beside it, so that silence is known twice after one time-out."""

    name: str
    kind: str
    subject: Subject
    probe: Probe | QuickProbe
    every_s: float
    timeout_s: float
    units: Mapping[str, str] = field(default_factory=dict)
    due: float = 0.0
    removed: bool = False
    busy: bool = False
    looks: int = 0
    unknowns: int = 0
    spent_s: float = 0.0
    longest_s: float = 0.0
    last: Reading | None = None
    told: str = ""
    urgent_every_s: float | None = None
    second_after_s: float | None = None
    hedge_s: float | None = None
    quick: QuickProbe | None = None

    @property
    def period_s(self) -> float:
        return self.every_s if self.urgent_every_s is None else min(self.every_s, self.urgent_every_s)


class Sampler:
    """Holds the timetable. `on_reading` gets each Reading as it comes; it must not block."""

    def __init__(
        self, *, clock: Clock, ring: MetricsRing, on_reading: Callable[[Reading], None], jitter: float = 1.0
    ) -> None:
        self._clock = clock
        self._ring = ring
        self._on_reading = on_reading
        self._jitter = jitter
        self._heap: list[tuple[float, int, ScheduledProbe]] = []
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.probes: dict[str, ScheduledProbe] = {}
        self.changed = asyncio.Event()

    def add(self, entry: ScheduledProbe) -> None:
        """Put a probe on the timetable; its first look is due at once."""
        self.remove(entry.name)
        entry.units = {spec.name: spec.unit for spec in entry.probe.metrics}
        entry.quick = quick_of(entry.probe)
        self.probes[entry.name] = entry
        self._push(entry, self._clock.monotonic())

    def remove(self, name: str) -> None:
        """Take a probe off; a look under way still ends, but is no longer heard."""
        entry = self.probes.pop(name, None)
        if entry is not None:
            entry.removed = True
            self._ring.forget(name)

    def set_interval(self, name: str, every_s: float) -> None:
        """Run the probe every `every_s` from now on. Raises KeyError for an unknown one."""
        entry = self.probes[name]
        entry.every_s = every_s
        self._push(entry, self._clock.monotonic() + every_s)

    def hurry(self, name: str, every_s: float | None) -> None:
        """Run the probe at least every `every_s` for as long as somebody waits for its answer; None ends that."""
        entry = self.probes.get(name)
        if entry is None or entry.urgent_every_s == every_s:
            return
        entry.urgent_every_s = every_s
        if every_s is not None:
            self._push(entry, self._clock.monotonic())

    def look_soon(self, name: str) -> None:
        """Make the next look of the probe now, unless one is under way."""
        entry = self.probes.get(name)
        now = self._clock.monotonic()
        if entry is not None and not entry.busy and entry.due > now:
            self._push(entry, now)

    def run_due(self) -> float:
        """Begin every look that is due; returns the seconds until the next one is."""
        now = self._clock.monotonic()
        while self._heap:
            due, _, entry = self._heap[0]
            if entry.removed or due != entry.due:
                heapq.heappop(self._heap)
                continue
            if due - now > TICK_S:
                return due - now
            heapq.heappop(self._heap)
            try:
                self._begin(entry)
            finally:  # whatever a listener raised: the probe stays on the timetable
                self._queue(entry, self._next_due(entry, now))
        return IDLE_S

    async def look_at_all(self) -> list[Reading]:
        """Run every probe now, whatever its timetable, and wait for their readings."""
        entries = [entry for entry in self.probes.values() if not entry.busy]
        await asyncio.gather(*(self._run(entry) for entry in entries))
        return [entry.last for entry in self.probes.values() if entry.last is not None]

    async def look_at(self, name: str) -> Reading | None:
        """Run one probe now and wait for its reading."""
        entry = self.probes[name]
        if not entry.busy:
            await self._run(entry)
        return entry.last

    async def close(self) -> None:
        """Cancel the looks under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _push(self, entry: ScheduledProbe, due: float) -> None:
        """Change the timetable from outside a turn: whoever sleeps until the next due time has to look again."""
        self._queue(entry, due)
        self.changed.set()

    def _queue(self, entry: ScheduledProbe, due: float) -> None:
        entry.due = due
        self._count += 1
        heapq.heappush(self._heap, (due, self._count, entry))

    def _next_due(self, entry: ScheduledProbe, now: float) -> float:
        period_s = entry.period_s
        slot_s = min(period_s / SLOTS_PER_PERIOD, MAX_SLOT_S)
        if entry.looks <= 1 and entry.second_after_s is not None:
            due = now + min(period_s, entry.second_after_s)
        elif entry.looks <= 1 + (entry.second_after_s is not None):
            # the first period is shortened by chance: from then on the probes of one period are spread over it
            due = now + period_s * (1.0 - self._jitter * 0.5 * random.random())
        else:
            due = entry.due + period_s
            if due <= now:
                due = now + period_s
        return math.ceil(due / slot_s) * slot_s

    def _begin(self, entry: ScheduledProbe) -> None:
        if entry.busy:
            # the deadline made the look `unknown` already; a thread behind it may still hang
            entry.looks += 1
            return
        if entry.quick is not None:
            entry.looks += 1
            self._look_now(entry, entry.quick)
            return
        self._spawn(self._run(entry))

    def _look_now(self, entry: ScheduledProbe, quick: QuickProbe) -> None:
        began = time.perf_counter()
        try:
            looks = quick.look_now()
        except Exception as error:
            looks = _raised(error)
        self._hear(entry, looks, time.perf_counter() - began)

    async def _run(self, entry: ScheduledProbe) -> None:
        if entry.quick is not None:
            self._look_now(entry, entry.quick)
            return
        entry.busy = True
        hedge = None
        if entry.hedge_s is not None:
            hedge = asyncio.get_running_loop().call_later(entry.hedge_s, self._look_beside, entry)
        try:
            await self._look(entry)
        finally:
            entry.busy = False
            if hedge is not None:
                hedge.cancel()

    def _look_beside(self, entry: ScheduledProbe) -> None:
        self._spawn(self._look(entry))

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look(self, entry: ScheduledProbe) -> None:
        probe = cast("Probe", entry.probe)
        entry.looks += 1
        began = time.perf_counter()
        looks: Look | tuple[Look, ...]
        try:
            async with asyncio.timeout(entry.timeout_s):
                looks = await probe.look()
        except TimeoutError:
            looks = Look(state=ReadingState.UNKNOWN, message=f"no answer within {entry.timeout_s:g} s")
        except Exception as error:
            looks = _raised(error)
        self._hear(entry, looks, time.perf_counter() - began)

    def _hear(self, entry: ScheduledProbe, looks: Look | tuple[Look, ...], took_s: float) -> None:
        if entry.removed:
            return
        entry.spent_s += took_s
        entry.longest_s = max(entry.longest_s, took_s)
        at = self._clock.monotonic()
        for look in (looks,) if isinstance(looks, Look) else looks:
            reading = Reading(
                probe=entry.name,
                subject=look.subject or entry.subject,
                state=look.state,
                at=at,
                values=look.values or NO_VALUES,
                message=masked(look.message),  # what a command said, or a server answered: anything may be in it
                duration_s=took_s,
            )
            entry.last = reading
            if look.values:
                self._ring.append(reading.subject, entry.name, at, look.values, entry.units, code=SINGLE)
            self._tell_once(entry, reading)
            self._on_reading(reading)

    def _tell_once(self, entry: ScheduledProbe, reading: Reading) -> None:
        """Log why a probe can't tell when the reason is new, not at every tick."""
        if reading.state is ReadingState.UNKNOWN:
            entry.unknowns += 1
            if reading.message != entry.told:
                log.warning("probe_unknown", probe=entry.name, reason=reading.message)
                entry.told = reading.message
        elif entry.told and reading.state is ReadingState.OK:
            log.info("probe_known_again", probe=entry.name)
            entry.told = ""


def _raised(error: Exception) -> Look:
    return Look(state=ReadingState.UNKNOWN, message=f"{type(error).__name__}: {error}")
