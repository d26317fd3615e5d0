"""Minutes become hours and days: packed when a span is over, merged when they come twice, forgotten in time."""

import pytest

from autonomyd.knowledge.retention import Retention
from autonomyd.knowledge.rollups import HOURS, MINUTES, Rollups, Row, slice_of
from autonomyd.knowledge.store import Store
from autonomyd.knowledge.write import Op, op_of
from autonomyd.model.rollup import DAY_S, HOUR_S, MINUTE_S, Point

BEGIN = 1_700_006_400  # midnight, UTC


def row(name: str = "host/cpu.percent", value: float = 1.0, *, samples: int = 6) -> Row:
    return Row(name, "%", samples, value - 0.5, value + 0.5, value, value)


async def minutes(rollups: Rollups, count: int, *, begin: int = BEGIN, name: str = "host/cpu.percent") -> None:
    for number in range(count):
        await rollups.add(MINUTES, begin + number * MINUTE_S, slice_of([row(name, float(number % 60))]))


@pytest.fixture
def rollups(store: Store) -> Rollups:
    return Rollups(store)


async def read(rollups: Rollups, level=MINUTES, since: float = 0.0, until: float = 4e9) -> list[Point]:
    return await rollups.points("host/cpu.percent", level, since=since, until=until)


async def slices(store: Store, step: int) -> int:
    return len(await store.fetch("rollup_slices", {"step": step, "since": 0, "until": 2**40}))


async def test_points_are_the_same_before_and_after_packing(store, rollups):
    await minutes(rollups, 90)
    before = await read(rollups)
    assert await rollups.pack(now=BEGIN + 90 * MINUTE_S) == 1
    assert await slices(store, MINUTE_S) == 30
    assert await read(rollups) == before
    assert [point.at for point in before] == [BEGIN + number * MINUTE_S for number in range(90)]
    assert before[61] == Point(BEGIN + 61 * MINUTE_S, 60.0, 6, 0.5, 1.5, 1.0, 1.0)


async def test_an_hour_becomes_one_point(rollups):
    await minutes(rollups, 60)
    await rollups.pack(now=BEGIN + HOUR_S)
    assert await read(rollups, HOURS) == [Point(BEGIN, 3600.0, 360, -0.5, 59.5, 29.5, 59.0)]


async def test_the_hours_of_a_day_are_packed_when_it_is_over(store, rollups):
    await minutes(rollups, 26 * 60)
    await rollups.pack(now=BEGIN + 26 * HOUR_S)
    assert await slices(store, MINUTE_S) == 0
    assert await slices(store, HOUR_S) == 2
    assert len(await read(rollups, HOURS)) == 26
    assert len(await read(rollups)) == 26 * 60
    assert len(await read(rollups, since=BEGIN + HOUR_S, until=BEGIN + 2 * HOUR_S)) == 60


async def test_a_minute_that_comes_twice_is_merged(rollups):
    """A restart within it, or a clock that was set back: before packing, in one packing, and after."""
    await minutes(rollups, 3)
    await rollups.add(MINUTES, BEGIN, slice_of([row(value=10.0, samples=2)]))
    first = Point(BEGIN, 60.0, 8, -0.5, 10.5, 2.5, 10.0)
    assert (await read(rollups))[0] == first
    await rollups.pack(now=BEGIN + HOUR_S)
    assert (await read(rollups))[0] == first
    await rollups.add(MINUTES, BEGIN, slice_of([row(value=2.5, samples=8)]))
    await rollups.pack(now=BEGIN + HOUR_S)
    assert (await read(rollups))[0] == Point(BEGIN, 60.0, 16, -0.5, 10.5, 2.5, 2.5)
    assert (await read(rollups, HOURS))[0].samples == 8 + 12 + 8
    assert len(await read(rollups)) == 3


async def test_the_hour_under_way_waits_and_one_in_the_future_does_not(store, rollups):
    await minutes(rollups, 5)
    assert await rollups.pack(now=BEGIN + 10 * MINUTE_S) == 0
    assert await rollups.pack(now=BEGIN - 20 * DAY_S) >= 1
    assert await slices(store, MINUTE_S) == 0
    assert len(await read(rollups)) == 5


async def test_how_far_back_each_goes(rollups):
    assert await rollups.recorded() == []
    await minutes(rollups, 60, begin=BEGIN + 30 * MINUTE_S)
    (fresh,) = await rollups.recorded()
    assert (fresh.name, fresh.unit, fresh.since) == ("host/cpu.percent", "%", BEGIN + 30 * MINUTE_S)
    await minutes(rollups, 60, begin=BEGIN + DAY_S, name="disk:/var/disk.used_percent")
    await rollups.pack(now=BEGIN + 2 * DAY_S)
    found = {each.name: (each.unit, each.since - BEGIN, each.until - BEGIN) for each in await rollups.recorded()}
    assert found == {
        "host/cpu.percent": ("%", 30 * MINUTE_S, 90 * MINUTE_S),
        "disk:/var/disk.used_percent": ("%", DAY_S, DAY_S + HOUR_S),
    }


async def test_a_damaged_chunk_hides_nothing_else(store, rollups):
    await minutes(rollups, 120)
    await rollups.pack(now=BEGIN + 2 * HOUR_S)
    await store._vault.database._connection.execute("UPDATE rollup_chunks SET body = x'00' WHERE at = ?", (BEGIN,))
    await rollups.add(MINUTES, BEGIN + 3 * HOUR_S, b"garbage")
    found = await read(rollups)
    assert [point.at for point in found] == [BEGIN + HOUR_S + number * MINUTE_S for number in range(60)]
    assert rollups.unreadable == 2
    await rollups.pack(now=BEGIN + 5 * HOUR_S)
    assert await slices(store, MINUTE_S) == 0


async def test_what_is_old_goes_and_the_size_is_true(clock):
    clock.now = BEGIN
    retention = Retention(minutes_days=1.0 / 12, hours_days=3.0)
    store = await Store.open(":memory:", clock=clock, retention=retention)
    rollups = Rollups(store)
    for day in range(5):
        await minutes(rollups, 60, begin=BEGIN + day * DAY_S)
    await minutes(rollups, 60, name="host/gone")
    clock.now = BEGIN + 5 * DAY_S
    await rollups.pack(now=clock.now)
    before = await rollups.size_bytes()
    await store.maintain()
    assert [point.at for point in await read(rollups, HOURS)] == [BEGIN + day * DAY_S for day in (2, 3, 4)]
    assert {int(point.at - BEGIN) // DAY_S for point in await read(rollups)} == {3, 4}
    assert [each.name for each in await rollups.recorded()] == ["host/cpu.percent"]
    after = await rollups.size_bytes()
    (real,) = await store._vault.database._connection.execute_fetchall(
        "SELECT sum(length(body) + 16) FROM rollup_chunks"
    )
    assert after == real[0] < before
    await store.close()


async def test_a_clock_in_a_wrong_year_costs_no_history(clock):
    clock.now = BEGIN + DAY_S
    store = await Store.open(":memory:", clock=clock, retention=Retention(minutes_days=1.0, hours_days=1.0))
    rollups = Rollups(store)
    await minutes(rollups, 24 * 60)
    await rollups.pack(now=clock.now)
    for wrong in (BEGIN + 9000 * DAY_S, BEGIN - 9000 * DAY_S):
        clock.now = wrong
        await minutes(rollups, 70, begin=int(wrong))
        await rollups.pack(now=wrong + 2 * HOUR_S)
        await store.maintain()
        clock.now += 2 * HOUR_S
    assert len(await read(rollups, since=BEGIN, until=BEGIN + DAY_S)) == (24 - 2) * 60, "as many as came newer went"
    assert len(await read(rollups, HOURS, since=BEGIN, until=BEGIN + DAY_S)) == 24
    await store.close()


@pytest.mark.parametrize("most", [2000, 0])
async def test_above_the_cap_the_oldest_minutes_go_before_any_hour(clock, most):
    clock.now = BEGIN + 4 * DAY_S
    store = await Store.open(":memory:", clock=clock, retention=Retention(series_bytes=most))
    rollups = Rollups(store)
    await minutes(rollups, 96 * 60)
    await rollups.pack(now=clock.now)
    assert await rollups.size_bytes() > 4000
    hours = len(await read(rollups, HOURS))
    for _ in range(5):
        await minutes(rollups, 1, begin=int(clock.now))
        clock.now += HOUR_S
        await rollups.pack(now=clock.now)
        await store.maintain()
    left = await read(rollups)
    if most:
        assert 0 < len(left) < 96 * 60
        assert left[0].at > BEGIN
        assert len(await read(rollups, HOURS)) == hours + 5
        assert await rollups.size_bytes() <= most
    else:
        assert len(await read(rollups, HOURS)) < hours
    await store.close()


async def test_the_whole_database_above_its_cap_gives_up_minutes_first(tmp_path, clock):
    clock.now = BEGIN + DAY_S
    store = await Store.open(str(tmp_path / "a.db"), clock=clock, retention=Retention(max_bytes=300_000))
    rollups = Rollups(store)
    for number in range(8):
        names = [f"service:{number}-{each}/m" for each in range(60)]
        for minute in range(0, 60, 7):
            rows = [row(name, value=hash((name, minute)) % 1000 / 7) for name in names]
            await rollups.add(MINUTES, BEGIN + number * HOUR_S + minute * MINUTE_S, slice_of(rows))
    await rollups.pack(now=clock.now)
    await store.maintain()
    assert await store._vault.database.size_bytes() <= 300_000
    assert len(await rollups.points("service:7-1/m", HOURS, since=0, until=4e9)) == 1
    await store.close()


async def test_a_killed_daemon_loses_nothing_that_was_written(tmp_path, clock):
    path = str(tmp_path / "a.db")
    store = await Store.open(path, clock=clock)
    await minutes(Rollups(store), 70)
    await Rollups(store).pack(now=BEGIN + HOUR_S)
    before = await read(Rollups(store))
    await minutes(Rollups(store), 3, begin=BEGIN + 2 * HOUR_S)
    copied = tmp_path / "after"
    copied.mkdir()
    for file in tmp_path.glob("a.db*"):
        (copied / file.name).write_bytes(file.read_bytes())
    again = await Store.open(str(copied / "a.db"), clock=clock)
    assert len(before) == 70
    assert (await read(Rollups(again)))[:70] == before
    assert len(await read(Rollups(again))) == 73
    await again.close()
    await store.close()


def test_bytes_survive_the_operation_log():
    op = Op(seq=1, query="put_rollup_slice", params={"body": bytes(range(256)), "at": 1, "name": "ä"}, durable=True)
    assert op_of(op.line()) == op
    with pytest.raises(TypeError):
        Op(seq=1, query="q", params={"x": object()}).line()  # type: ignore[dict-item]


@pytest.mark.parametrize("value", ['{"base64": "*"}', '{"base64": 3}', '{"other": "aa"}', "{}", '{"base64": null}'])
def test_a_line_with_damaged_bytes_is_none(value):
    assert op_of(f'[1,"put_rollup_slice",{{"body":{value}}}]'.encode()) is None
