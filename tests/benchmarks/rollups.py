"""The history of 100 series over simulated days, in a database on a real disk: the work for each sample, the share of a
core that it makes at one look every ten seconds, and the bytes that a series takes a day."""

import asyncio
import random
import time
from pathlib import Path

import running
from figure import Figure, Options

from autonomyd.engine.insight.rollups import RollupKeeper
from autonomyd.engine.records import Records
from autonomyd.knowledge.retention import Retention
from autonomyd.knowledge.rollups import MINUTES
from autonomyd.knowledge.store import Store
from autonomyd.model.subject import Subject
from autonomyd.monitor.ring import MetricsRing
from autonomyd.testing import ManualClock

SUBJECTS = 20
METRICS = 5
SERIES = SUBJECTS * METRICS
EVERY_S = 10
DAY_S = 86400
MINUTES_OF_DAY = 1440
WEEK = 7


def measure(options: Options) -> list[Figure]:
    days = options.pick(3, 0.5)
    with running.scratch() as scratch:
        took_s, size, read_s = asyncio.run(_measure(scratch.folder, int(days * MINUTES_OF_DAY)))
    a_day = size / SERIES / days
    return [
        Figure(
            what="history, recorded",
            value=1e6 * took_s / (days * DAY_S / EVERY_S * SERIES),
            unit="us a sample",
            bound=20.0,
            note="with packing and the writes to the database",
        ),
        Figure(
            what="history of 100 series",
            value=100 * took_s / (days * DAY_S),
            unit="% of a core",
            target=0.01,
            bound=0.05,
            note="a look every 10 s",
        ),
        Figure(
            what="history, size",
            value=a_day / 1024,
            unit="kB a series and day",
            target=30.0,
            bound=60.0,
            note=f"values that change all the time; {SERIES} series for a week: {a_day * SERIES * WEEK / 2**20:.0f} MB",
        ),
        Figure(
            what="history, a series read",
            value=1e3 * read_s / days,
            unit="ms a day",
            bound=50.0,
            note="points of a minute; a week draws in 7 times that",
        ),
    ]


async def _measure(folder: Path, minutes: int) -> tuple[float, int, float]:
    """(CPU seconds for all samples, bytes of the database, seconds that the reading of a series takes)."""
    clock = ManualClock(wall=1.7e9 // DAY_S * DAY_S)
    store = await Store.open(str(folder / "state.db"), clock=clock, retention=Retention(series_bytes=2**40))
    records = Records(clock)
    records.attach(store)
    ring = MetricsRing()
    keeper = RollupKeeper(clock=clock, metrics=ring.reader, records=records)
    subjects = [Subject(f"service:{number}") for number in range(SUBJECTS)]
    values = random.Random(1)
    levels = {subject: {f"metric_{number}": 50.0 for number in range(METRICS)} for subject in subjects}
    took_s = 0.0
    for _ in range(minutes):
        for _ in range(60 // EVERY_S):
            for row in levels.values():
                for metric in row:
                    row[metric] += values.gauss(0.0, 1.0)
            began = time.process_time()
            for subject, row in levels.items():
                keeper.observe(subject, clock.monotonic(), row)
            took_s += time.process_time() - began
            clock.advance(EVERY_S)
        began = time.process_time()
        await keeper.tick()
        took_s += time.process_time() - began
    await store.maintain()  # what is in the write-ahead log goes into the file
    size = (folder / "state.db").stat().st_size
    began = time.perf_counter()
    await records.rollups.points("service:1/metric_1", MINUTES, since=0.0, until=clock.wall())
    read_s = time.perf_counter() - began
    await keeper.close()
    await records.close()
    return took_s, size, read_s
