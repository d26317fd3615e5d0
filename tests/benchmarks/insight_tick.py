"""What insight costs: all that listens to the metrics, over 100 series of a machine in virtual time, and the turns of
its loop in between. All series wander; a tenth of them have an end that is foretold."""

import asyncio
import gc
import random
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import running
import structlog
from figure import Figure, Options

from autonomyd import AutonomousOperationSystem, make_settings
from autonomyd.knowledge.store import Store
from autonomyd.model.subject import Subject
from autonomyd.testing import ManualClock

SUBJECTS = 20
METRICS = ("disk.used_percent", "cpu_percent", "rss_mb", "latency_ms", "requests")
UNITS = dict(zip(METRICS, ("%", "%", "MB", "ms", ""), strict=True))
SERIES = SUBJECTS * len(METRICS)
DISKS = SERIES // 10
EVERY_S = 10.0
TURN_EVERY = 6
INSIGHT = ("engine/insight/", "analyze/")


def measure(options: Options) -> list[Figure]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    ticks = int(options.pick(3000, 1000))
    with running.scratch() as scratch:
        cost = asyncio.run(_run(scratch.folder / "time", ticks))
    with running.scratch() as scratch:
        size = asyncio.run(_size(scratch.folder / "size", ticks))
    whole = sum(cost.values()) / ticks
    shares = ", ".join(f"{name} {1e3 * spent / ticks:.3f}" for name, spent in sorted(cost.items(), key=lambda x: -x[1]))
    return [
        Figure(
            what=f"insight, a tick of {SERIES} series",
            value=1e3 * whole,
            unit="ms",
            target=2.0,
            bound=6.0,
            note=f"over {ticks} ticks, its share of the turns in it; {shares}",
        ),
        Figure(
            what="insight, memory",
            value=size / SERIES,
            unit="bytes a series",
            target=8192.0,
            bound=16384.0,
            note="of all its parts together; the ring is not in it",
        ),
    ]


async def _run(folder: Path, ticks: int) -> dict[str, float]:
    """CPU seconds of each part, by its name: as it listens, and at its turn."""
    cost: dict[str, float] = defaultdict(float)
    async with _Machine(folder) as machine:
        machine.listen_timed(cost)
        for number, _ in enumerate(machine.ticks(ticks)):
            if number % TURN_EVERY == 0:
                for turn in machine.turns:
                    began = time.process_time()
                    await turn()
                    cost[f"{_owner(turn)}, turn"] += time.process_time() - began
    return cost


async def _size(folder: Path, ticks: int) -> int:
    """Bytes that the parts hold after so many ticks."""
    async with _Machine(folder) as machine:
        tracemalloc.start()
        for number, _ in enumerate(machine.ticks(ticks)):
            if number % TURN_EVERY == 0:
                for turn in machine.turns:
                    await turn()
        gc.collect()
        held = tracemalloc.take_snapshot().statistics("filename")
        tracemalloc.stop()
    return sum(each.size for each in held if any(part in each.traceback[0].filename for part in INSIGHT))


class _Machine:
    """A system that was put together and not started: its clock, its samples and its turns are ours."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._clock = ManualClock(wall=1.7e9)
        self._system = AutonomousOperationSystem(
            make_settings({"daemon": {"state_dir": str(folder)}}), clock=self._clock
        )
        self._ring = self._system.monitoring._ring
        self.turns: tuple[Callable[[], Any], ...] = self._system.parts.insight.turns.ticks

    async def __aenter__(self) -> "_Machine":
        store = await Store.open(str(self._folder / "state.db"), clock=self._clock)
        self._system.parts.records.attach(store)
        await self._system.parts.insight.turns.restore()
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._system.parts.insight.turns.close()
        await self._system.parts.records.close()

    def listen_timed(self, cost: dict[str, float]) -> None:
        """Note what each listener takes."""
        listeners = self._ring._subscribers
        listeners[:] = [_timed(each, cost) for each in listeners]

    def ticks(self, count: int) -> Iterator[None]:
        """Bring the samples of one tick after the other; the clock is moved on in between."""
        chance = random.Random(4)
        subjects = [Subject(f"{'disk:/' if number < DISKS else 'service:'}{number}") for number in range(SUBJECTS)]
        levels = {subject: dict.fromkeys(METRICS, 50.0) for subject in subjects}
        for _ in range(count):
            now = self._clock.monotonic()
            for subject, row in levels.items():
                for metric in row:
                    row[metric] = min(99.0, max(1.0, row[metric] + chance.gauss(0.0, 1.0)))
                self._ring.append(subject, "benchmark", now, row, UNITS)
            yield
            self._clock.advance(EVERY_S)


def _timed(listener: Callable[..., None], cost: dict[str, float]) -> Callable[..., None]:
    name = _owner(listener)

    def heard(*row: Any) -> None:
        began = time.thread_time()
        listener(*row)
        cost[name] += time.thread_time() - began

    return heard


def _owner(method: Callable[..., Any]) -> str:
    return type(getattr(method, "__self__", method)).__name__
