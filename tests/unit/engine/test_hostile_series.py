"""Hostile series through the whole assembled system, in hand-made time: nothing raises, nothing grows without end, and
whatever is told or kept is still plain JSON."""

import json
import math
import random
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from structlog.testing import capture_logs

from autonomyd.analyze.anomaly.detector import AnomalyDetector
from autonomyd.engine.insight import absences, foresight, rates, rollups, shifts, surprises
from autonomyd.engine.system import AutonomousOperationSystem
from autonomyd.host.packages import PackageLog
from autonomyd.knowledge.store import Store
from autonomyd.model.reading import MetricSpec
from autonomyd.model.subject import HOST, Subject
from autonomyd.model.wire import plain
from autonomyd.monitor import ring
from autonomyd.monitor.probe import Look, unknown
from autonomyd.settings.load import make_settings
from autonomyd.testing import ManualClock, memory_store

EVERY_S = 10.0
TURN_EVERY = 6
LOOKS = 700
MOST = 60
"""Series of a kind that are kept here; there are ten times as many."""
DISK = Subject("disk:/hostile")
WEB = Subject("service:web")
PROCESS = ("rss_mb", "fds", "cpu_percent")
METRICS = ("cpu.percent", "memory.percent", "memory.used_mb", "memory.available_mb", "fds.used_percent")
NAMES = (*METRICS, *PROCESS, "disk.used_percent", "disk.inodes_used_percent")
CRASHES = ("insight_failed", "metrics_listener_failed", "stored_value_unreadable", "store_unreadable")


def absurd(seed: int) -> Iterator[float]:
    """Every kind of figure that a broken source may give, ordinary ones between."""
    chance = random.Random(seed)
    strange = (math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, 1e30, -1e-300, 0.0, -0.0, 1e15, 3.5e38)
    level = 50.0
    while True:
        level += chance.choice((0.0, 0.0, 0.05, -40.0, 60.0))
        yield chance.choice(strange) if chance.random() < 0.2 else level + chance.gauss(0.0, 1.0)


def shape(kind: str) -> Iterator[float]:
    if kind == "absurd":
        yield from absurd(1)
    value = 0.0
    while True:
        value += {"constant": 0.0, "counter": 1e6, "filling": 0.1}[kind]
        if kind == "counter" and value > 3e8:
            value = 0.0
        yield min(value, 100.0) if kind == "filling" else value


class Hostile:
    """A probe whose figures are absurd; sometimes it can't tell, sometimes it raises, and every disk is a new one."""

    metrics: ClassVar[tuple[MetricSpec, ...]] = tuple(MetricSpec(name=name, unit="%") for name in NAMES)

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._looks = 0
        self._series = {name: shape(kind) for name in NAMES}

    def look_now(self) -> tuple[Look, ...]:
        self._looks += 1
        if self._kind == "absurd" and self._looks % 50 == 0:
            raise ValueError("a hostile probe")
        if self._kind == "absurd" and self._looks % 35 == 0:
            return (unknown("it can't tell"),)
        disk = {name: next(self._series[name]) for name in ("disk.used_percent", "disk.inodes_used_percent")}
        return (
            Look(subject=HOST, values={name: next(self._series[name]) for name in METRICS}),
            Look(subject=DISK, values=disk),
            Look(subject=WEB, values={name: next(self._series[name]) for name in PROCESS}),
            Look(subject=Subject(f"disk:/run/{self._looks}"), values={"disk.used_percent": disk["disk.used_percent"]}),
        )


class World:
    """The assembled system, none of whose loops runs: its turns are taken here."""

    def __init__(self, folder: Path, store: Store, clock: ManualClock, kind: str) -> None:
        self.clock = clock
        tables = {
            "daemon": {"state_dir": str(folder)},
            "detectors": {
                "rates": {
                    "cpu.percent": {"change": 20.0},
                    "disk.used_percent": {"change": -5.0},
                    "queue": {"change": 1},
                },
                "absence": {"cpu.percent": 60.0, "queue": 30.0, "disk.used_percent": 90.0},
            },
            "thresholds": {"custom": {"queue": {"enter": 90.0, "clear": 80.0}, "debt": {"enter": 0.0, "clear": -5.0}}},
            "services": {
                "web": {"control": {"type": "process", "command": ["web"]}, "limits": {"rss_mb": 100, "fds": 100}}
            },
        }
        self.system = AutonomousOperationSystem(make_settings(tables), clock=clock)
        self.parts = self.system.parts
        self.monitoring = self.parts.monitoring
        for name in list(self.monitoring.sampler.probes):
            self.monitoring.unwatch(name)
        self.monitoring.watch("hostile", HOST, Hostile(kind), kind="hostile", every_s=EVERY_S)
        self.parts.records.attach(store)
        self._pushed = shape(kind)

    async def live(self, looks: int) -> None:
        chance = random.Random(3)
        for number in range(looks):
            self.clock.advance(EVERY_S if chance.random() < 0.98 else chance.choice((0.0, 1e-9, 5000.0)))
            if chance.random() < 0.01:
                self.clock.set_wall(self.clock.wall() + chance.choice((-7200.0, 7200.0, -400 * 86400.0, 86400.0)))
            await self.monitoring.sampler.look_at_all()
            for metric in ("queue", "debt", f"job{number}"):
                self.system.push(metric, next(self._pushed))
            if number % TURN_EVERY == 0:
                await self.parts.insight.turns.tick()
        await self.parts.records.drained()

    def sizes(self) -> tuple[int, ...]:
        """What is kept of series, by part."""
        insight, listeners = self.parts.insight, self.monitoring._ring._subscribers
        owners = [getattr(each, "__self__", None) for each in listeners]
        found = [len(owner._detectors) for owner in owners if hasattr(owner, "_detectors")]
        found += [owner._series for owner in owners if isinstance(owner, rollups.RollupKeeper)]
        assert len(found) == 4  # absences, rates, rollups, shifts
        watched = len(insight.foresight._state.watched)
        return (
            *found,
            insight.surprises.known,
            watched,
            len(self.monitoring._ring._frames),
            len(self.monitoring.pushed),
        )

    def told(self) -> list[Any]:
        """Whatever a person may ask for."""
        insight, wall = self.parts.insight, self.clock.wall()
        return [
            self.monitoring.report(),
            insight.foresight.report(),
            insight.surprises.since(0.0),
            insight.surprises.learning(),
            insight.predictions.report(),
            insight.timeline.about(HOST, wall),
            insight.graph.report(),
            self.monitoring.book.open_issues(),
        ]


@asynccontextmanager
async def worlds(folder: Path, kind: str) -> AsyncIterator[tuple[World, Store]]:
    clock = ManualClock()
    async with memory_store(clock) as store:
        world = World(folder, store, clock, kind)
        await world.parts.insight.turns.restore()
        yield world, store


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that are reached soon, and no look at this machine's packages."""
    for module in (absences, foresight, rates, rollups, shifts, surprises):
        monkeypatch.setattr(module, "MOST_SERIES", MOST)
    monkeypatch.setattr(ring, "MOST_FRAMES", MOST)
    monkeypatch.setattr(PackageLog, "look", lambda self, *, since: ())


def crashes(logs: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [each for each in logs if each["event"] in CRASHES or each["log_level"] in ("error", "critical")]


@pytest.mark.parametrize("kind", ["absurd", "constant", "counter", "filling"])
async def test_hostile_series_stop_nothing_and_are_told_in_plain_words(tmp_path: Path, kind: str) -> None:
    with capture_logs() as logs:
        async with worlds(tmp_path, kind) as (world, store):
            await world.live(LOOKS)
            json.dumps(plain([*world.told(), await world.parts.insight.predictions.risks.report()]), allow_nan=False)
            assert all(size <= MOST for size in world.sizes()), world.sizes()
            await world.parts.insight.turns.close()
            await world.parts.records.drained()
            again = World(tmp_path, store, world.clock, kind)
            await again.parts.insight.turns.restore()
            await again.live(2 * TURN_EVERY)
            json.dumps(plain(again.told()), allow_nan=False)
            kept = await again.parts.records.issues.recent(limit=10_000)
            assert {each.id for each in world.monitoring.book.open_issues()} <= {each.id for each in kept}
    assert crashes(logs) == []


async def test_a_listener_that_fails_is_seen_by_this_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object, *args: object) -> None:
        raise OverflowError("a detector that can't stand a figure")

    monkeypatch.setattr(AnomalyDetector, "observe", broken)
    with capture_logs() as logs:
        async with worlds(tmp_path, "constant") as (world, _):
            await world.live(1)
    assert [each["event"] for each in crashes(logs)] == ["metrics_listener_failed"] * len(crashes(logs)) != []
