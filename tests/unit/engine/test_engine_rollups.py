"""Samples become minutes, whatever comes: no numbers, rows out of time, clocks that jump, a store that is away."""

import math
import sqlite3
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autonomyd.engine.insight.rollups import FORGET_AFTER, MOST_SERIES, MOST_WAITING, RollupKeeper
from autonomyd.engine.insight.series import SeriesReader
from autonomyd.engine.records import Records
from autonomyd.knowledge.rollups import HOURS, MINUTES
from autonomyd.knowledge.store import Store
from autonomyd.model.rollup import HOUR_S, MINUTE_S, Point
from autonomyd.model.subject import HOST, Subject
from autonomyd.monitor.ring import MetricsRing
from autonomyd.testing import ManualClock

BEGIN = 1_700_006_400.0
UNITS = {"cpu": "%"}


class Kept:
    """A keeper with its ring, its store and its clock."""

    def __init__(self, clock: ManualClock, store: Store) -> None:
        self.clock = clock
        self.ring = MetricsRing(100)
        self.records = Records(clock)
        self.records.attach(store)
        self.keeper = RollupKeeper(clock=clock, metrics=self.ring.reader, records=self.records)

    def put(self, value: float, *, at: float | None = None, subject: Subject = HOST, metric: str = "cpu") -> None:
        self.ring.append(subject, "p", self.clock.monotonic() if at is None else at, {metric: value}, UNITS)

    async def minute(self, *values: float) -> None:
        """Put the values, evenly spread over a minute, and take the turn at its end."""
        for value in values:
            self.put(value)
            self.clock.advance(60.0 / len(values))
        await self.keeper.tick()

    async def points(self, name: str = "host/cpu") -> list[Point]:
        return await self.records.rollups.points(name, MINUTES, since=0.0, until=4e9)


@pytest.fixture
async def kept() -> AsyncIterator[Kept]:
    clock = ManualClock(wall=BEGIN)
    made = Kept(clock, await Store.open(":memory:", clock=clock))
    yield made
    await made.records.close()


async def test_a_minute_is_one_point(kept: Kept) -> None:
    await kept.minute(1.0, 2.0, 6.0)
    await kept.minute(5.0)
    assert await kept.points() == [
        Point(BEGIN, 60.0, 3, 1.0, 6.0, 3.0, 6.0),
        Point(BEGIN + 60, 60.0, 1, 5.0, 5.0, 5.0, 5.0),
    ]


async def test_what_is_no_number_is_left_out_and_counted(kept: Kept) -> None:
    await kept.minute(1.0, math.nan, math.inf, -math.inf, 1e300, 3.0)
    assert await kept.points() == [Point(BEGIN, 60.0, 2, 1.0, 3.0, 2.0, 3.0)]
    assert kept.keeper.counts.infinite == 3
    await kept.minute(math.nan, math.nan)
    assert len(await kept.points()) == 1


async def test_rows_out_of_time_are_left_out_and_counted(kept: Kept) -> None:
    now = kept.clock.monotonic()
    for at in (now - 1000.0, now + 1000.0, math.nan, math.inf, -math.inf):
        kept.put(99.0, at=at)
    kept.put(1.0, at=now - 5.0)
    kept.put(2.0, at=now)
    kept.put(3.0, at=now)
    await kept.minute(2.0)
    assert await kept.points() == [Point(BEGIN, 60.0, 4, 1.0, 3.0, 2.0, 2.0)]
    assert kept.keeper.counts.late == 5


@settings(max_examples=40)
@given(st.lists(st.tuples(st.one_of(st.floats(), st.floats(900.0, 1300.0)), st.floats()), max_size=40))
async def test_nothing_that_comes_raises(rows: list[tuple[float, float]]) -> None:
    clock = ManualClock(wall=BEGIN)
    keeper = Kept(clock, await Store.open(":memory:", clock=clock))
    for at, value in rows:
        keeper.keeper.observe(HOST, at, {"cpu": value})
        clock.advance(7.0)
    await keeper.keeper.close()
    for point in await keeper.points():
        assert point.low <= point.mean <= point.high
        assert point.low <= point.last <= point.high
    await keeper.records.close()


async def test_a_clock_that_is_set_back_merges(kept: Kept) -> None:
    await kept.minute(1.0)
    await kept.minute(2.0)
    kept.clock.set_wall(BEGIN)
    await kept.minute(4.0)  # this minute began before the clock was set: its name is the old one
    await kept.minute(8.0)
    kept.clock.set_wall(BEGIN + 10 * MINUTE_S)
    await kept.minute(16.0)
    await kept.minute(32.0)
    found = {int(point.at - BEGIN) // 60: (point.samples, point.low, point.high) for point in await kept.points()}
    assert found == {0: (1, 1.0, 1.0), 1: (2, 2.0, 8.0), 2: (2, 4.0, 16.0), 11: (1, 32.0, 32.0)}


async def test_after_a_sleep_of_the_machine_there_is_a_hole(kept: Kept) -> None:
    await kept.minute(1.0)
    kept.clock.set_wall(kept.clock.wall() + 5 * HOUR_S)
    await kept.minute(2.0)
    await kept.minute(3.0)
    ats = [(point.at - BEGIN) / 60 for point in await kept.points()]
    assert ats == [0, 1, 302]


async def test_hours_are_packed_as_they_end(kept: Kept) -> None:
    for number in range(61):
        await kept.minute(float(number))
    hours = await kept.records.rollups.points("host/cpu", HOURS, since=0.0, until=4e9)
    assert hours == [Point(BEGIN, 3600.0, 60, 0.0, 59.0, 29.5, 59.0)]
    assert [(each.name, each.unit) for each in await kept.records.rollups.recorded()] == [("host/cpu", "%")]


async def test_the_minute_under_way_is_kept_at_the_end_and_goes_on_after_a_restart(kept: Kept) -> None:
    kept.put(1.0)
    kept.clock.advance(20.0)
    await kept.keeper.close()
    again = RollupKeeper(clock=kept.clock, metrics=kept.ring.reader, records=kept.records)
    kept.put(3.0)
    kept.clock.advance(40.0)
    await again.tick()
    assert await kept.points() == [Point(BEGIN, 60.0, 2, 1.0, 3.0, 2.0, 3.0)]
    kept.put(5.0)
    assert kept.keeper.counts.late == 0, "the first one listens no longer"


async def test_only_so_many_series(kept: Kept) -> None:
    for number in range(MOST_SERIES + 3):
        kept.put(1.0, metric=f"m{number}")
    kept.clock.advance(60.0)
    await kept.keeper.tick()
    assert kept.keeper.counts.crowded_out == 3
    assert len(await kept.points(f"host/m{MOST_SERIES - 1}")) == 1
    assert await kept.points(f"host/m{MOST_SERIES}") == []
    for _ in range(FORGET_AFTER + 1):
        await kept.minute(1.0)
    assert kept.keeper.counts.crowded_out == 3 + FORGET_AFTER, "there is room once the others were silent for an hour"
    assert len(await kept.points()) == 1


async def test_while_the_database_is_locked_minutes_wait_and_are_bounded(tmp_path) -> None:
    clock = ManualClock(wall=BEGIN)
    kept = Kept(clock, await Store.open(str(tmp_path / "a.db"), clock=clock))
    await kept.minute(1.0)
    await kept.records.store.flush()
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    await kept.minute(2.0)
    await kept.records.store.flush()
    assert kept.records.store.status().state == "degraded"
    for number in range(MOST_WAITING + 5):
        await kept.minute(float(number))
    assert kept.keeper.counts.lost == 5
    other.execute("ROLLBACK")
    other.close()
    await kept.records.store.maintain()
    await kept.minute(3.0)
    found = await kept.points()
    assert [point.mean for point in found][:3] == [1.0, 2.0, 6.0]
    assert len(found) == 2 + MOST_WAITING - 1 + 1
    await kept.records.close()


async def test_what_waits_at_the_end_is_in_the_log_of_a_locked_database(tmp_path) -> None:
    clock = ManualClock(wall=BEGIN)
    path = str(tmp_path / "a.db")
    kept = Kept(clock, await Store.open(path, clock=clock))
    await kept.minute(1.0)
    await kept.records.store.flush()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    await kept.minute(2.0)
    await kept.records.store.flush()
    await kept.minute(3.0)
    await kept.keeper.close()
    await kept.records.close()
    other.execute("ROLLBACK")
    other.close()
    again = Kept(clock, await Store.open(path, clock=clock))
    assert [point.mean for point in await again.points()] == [1.0, 2.0, 3.0]
    await again.records.close()


async def test_one_series_out_of_ring_minutes_and_hours_without_a_seam(kept: Kept) -> None:
    for number in range(8 * 60):
        await kept.minute(float(number), float(number))
    reader = SeriesReader(clock=kept.clock, metrics=kept.ring.reader, records=kept.records)
    await kept.records.store.put()
    await kept.records.store._vault.database._connection.execute(  # type: ignore[union-attr]
        "DELETE FROM rollup_chunks WHERE step = 60 AND at < ?", (BEGIN + 5 * HOUR_S,)
    )
    found = await reader.read("host/cpu", since=BEGIN - HOUR_S)
    assert found is not None
    assert found.unit == "%"
    steps = [point.step_s for point in found.points]
    assert (steps.count(3600.0), steps.count(60.0), steps.count(0.0)) == (5, 130, 100)
    assert steps == sorted(steps, reverse=True)
    for before, after in pairwise(found.points):
        assert before.until <= after.at <= before.until + 60.0
    assert found.points[0].at == BEGIN
    assert (await reader.read("host/cpu", since=kept.clock.wall() - 600.0)).points[0].step_s == 0.0  # type: ignore[union-attr]
    assert await reader.read("host/nothing", since=0.0) is None


async def test_a_series_that_is_no_longer_measured_can_still_be_read(kept: Kept) -> None:
    for _ in range(61):
        await kept.minute(1.0)
    reader = SeriesReader(clock=kept.clock, metrics=MetricsRing().reader, records=kept.records)
    found = await reader.read("host/cpu", since=0.0)
    assert found is not None
    assert (found.unit, len(found.points)) == ("%", 61)
