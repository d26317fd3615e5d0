"""The sampler: probes on time, each under its own deadline, and what cannot be told is unknown, never down."""

import asyncio
import itertools
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from autonomyd.model.reading import MetricSpec, ReadingState
from autonomyd.model.subject import HOST, Subject
from autonomyd.monitor.probe import Look, failed, ok, unknown
from autonomyd.monitor.ring import MetricsRing
from autonomyd.monitor.sampler import Sampler, ScheduledProbe
from autonomyd.testing import LoopClock

pytestmark = pytest.mark.looptime(resolution=1e-9)


class Slow:
    """Answers after `takes_s`."""

    metrics = (MetricSpec(name="value", unit="ms"),)

    def __init__(self, takes_s=0.0, answer=None):
        self.takes_s, self.answer, self.began = takes_s, answer or ok({"value": 1.0}), []

    async def look(self):
        self.began.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.takes_s)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Quick:
    metrics = (MetricSpec(name="value", unit="%"),)

    def __init__(self, answer=None):
        self.answer, self.began = answer or ok({"value": 2.0}), []

    def look_now(self):
        self.began.append(asyncio.get_running_loop().time())
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Bench:
    def __init__(self, clock=None):
        self.clock = clock or LoopClock()
        self.ring, self.readings = MetricsRing(), []
        self.sampler = Sampler(clock=self.clock, ring=self.ring, on_reading=self.readings.append, jitter=0.0)

    def add(self, name, probe, *, every_s=10.0, timeout_s=5.0):
        entry = ScheduledProbe(name=name, kind="test", subject=HOST, probe=probe, every_s=every_s, timeout_s=timeout_s)
        self.sampler.add(entry)
        return entry

    def states(self, name):
        return [reading.state for reading in self.readings if reading.probe == name]

    @asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self._turn())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.sampler.close()

    async def _turn(self):
        while True:
            self.sampler.changed.clear()
            delay_s = self.sampler.run_due()
            try:
                async with asyncio.timeout(delay_s):
                    await self.sampler.changed.wait()
            except TimeoutError:
                pass


@pytest.mark.parametrize("kind", [Quick, Slow])
async def test_a_probe_runs_at_once_and_then_every_interval(kind):
    bench, probe = Bench(), kind()
    bench.add("steady", probe)
    async with bench.running():
        await asyncio.sleep(35.0)
    assert probe.began == [0.0, 10.0, 20.0, 30.0]
    assert bench.states("steady") == [ReadingState.OK] * 4
    assert list(bench.ring.reader.view(HOST, "value").at) == [0.0, 10.0, 20.0, 30.0]


async def test_a_probe_that_hangs_is_unknown_at_its_deadline_and_delays_no_other():
    bench, hung, other = Bench(), Slow(takes_s=1e9), Slow()
    bench.add("hung", hung, timeout_s=3.0)
    bench.add("other", other)
    async with bench.running():
        await asyncio.sleep(25.0)
    assert bench.states("hung") == [ReadingState.UNKNOWN] * 3
    first = next(reading for reading in bench.readings if reading.probe == "hung")
    assert (first.at, first.message) == (3.0, "no answer within 3 s")
    assert other.began == [0.0, 10.0, 20.0]


async def test_a_probe_that_is_still_busy_is_not_begun_a_second_time():
    bench, slow = Bench(), Slow(takes_s=12.0)
    bench.add("slow", slow, every_s=5.0, timeout_s=60.0)
    async with bench.running():
        await asyncio.sleep(27.0)
    assert slow.began == [0.0, 15.0]
    assert bench.states("slow") == [ReadingState.OK] * 2


@pytest.mark.parametrize("kind", [Quick, Slow])
@pytest.mark.parametrize("error", [PermissionError("not allowed"), KeyError("x"), TimeoutError()])
async def test_a_probe_that_raises_is_unknown_not_down(kind, error):
    bench, other = Bench(), Slow()
    bench.add("broken", kind(answer=error))
    bench.add("other", other)
    async with bench.running():
        await asyncio.sleep(15.0)
    assert set(bench.states("broken")) == {ReadingState.UNKNOWN}
    assert bench.readings[0].message != ""
    assert other.began == [0.0, 10.0]
    assert bench.ring.reader.names() == ((HOST, "value"),)  # of the other one: unknown leaves no sample


async def test_what_cannot_be_told_is_logged_once_a_reason_not_at_every_tick():
    bench, probe = Bench(), Slow(answer=unknown("no permission"))
    bench.add("blind", probe)
    with capture_logs() as logs:
        async with bench.running():
            await asyncio.sleep(45.0)
            probe.answer = unknown("another reason")
            await asyncio.sleep(20.0)
            probe.answer = ok({"value": 1.0})
            await asyncio.sleep(20.0)
            probe.answer = unknown("another reason")
            await asyncio.sleep(20.0)
    assert [(line["event"], line.get("reason")) for line in logs] == [
        ("probe_unknown", "no permission"),
        ("probe_unknown", "another reason"),
        ("probe_known_again", None),
        ("probe_unknown", "another reason"),
    ]


async def test_a_failed_look_is_failed_and_keeps_its_values():
    bench = Bench()
    bench.add("down", Slow(answer=failed("connection refused", {"value": 9.0})))
    async with bench.running():
        await asyncio.sleep(1.0)
    assert (bench.readings[0].state, bench.readings[0].message) == (ReadingState.FAILED, "connection refused")
    assert bench.ring.reader.last(HOST, "value") == 9.0


async def test_a_probe_may_look_at_several_subjects_at_once():
    bench, disk = Bench(), Subject("disk:/")
    bench.add("machine", Quick(answer=(ok({"value": 1.0}), Look(values={"value": 2.0}, subject=disk))))
    async with bench.running():
        await asyncio.sleep(1.0)
    assert [reading.subject for reading in bench.readings] == [HOST, disk]
    bench.sampler.remove("machine")
    assert bench.ring.reader.names() == ()


async def test_hurry_runs_it_at_once_and_often_and_ends():
    bench, probe = Bench(), Quick()
    bench.add("watched", probe)
    async with bench.running():
        await asyncio.sleep(12.0)
        bench.sampler.hurry("watched", 0.5)
        await asyncio.sleep(1.9)
        bench.sampler.hurry("watched", None)
        await asyncio.sleep(20.0)
    assert probe.began[:2] == [0.0, 10.0]
    assert probe.began[2:6] == pytest.approx([12.0, 12.5, 13.0, 13.5])
    rest = probe.began[6:]
    assert all(later - earlier >= 9.0 for earlier, later in itertools.pairwise(rest))
    bench.sampler.hurry("nobody", 1.0)


async def test_hurrying_never_slows_a_fast_probe_down():
    bench, probe = Bench(), Quick()
    bench.add("fast", probe, every_s=1.0)
    async with bench.running():
        await asyncio.sleep(0.5)
        bench.sampler.hurry("fast", 5.0)
        await asyncio.sleep(5.0)
    assert len(probe.began) >= 6


async def test_a_new_interval_counts_from_now():
    bench, probe = Bench(), Quick()
    bench.add("tuned", probe)
    async with bench.running():
        await asyncio.sleep(4.0)
        bench.sampler.set_interval("tuned", 2.0)
        await asyncio.sleep(5.0)
    assert probe.began == [0.0, 6.0, 8.0]
    with pytest.raises(KeyError):
        bench.sampler.set_interval("nobody", 2.0)


async def test_a_removed_probe_is_not_run_and_not_heard_even_when_its_look_was_under_way():
    bench, slow = Bench(), Slow(takes_s=3.0)
    bench.add("gone", slow)
    async with bench.running():
        await asyncio.sleep(1.0)
        bench.sampler.remove("gone")
        await asyncio.sleep(30.0)
    assert slow.began == [0.0]
    assert bench.readings == []
    bench.sampler.remove("gone")


async def test_a_probe_that_replaces_one_of_its_name_runs_alone():
    bench, old, new = Bench(), Quick(), Quick()
    bench.add("same", old)
    async with bench.running():
        await asyncio.sleep(1.0)
        bench.add("same", new)
        await asyncio.sleep(15.0)
    assert old.began == [0.0]
    assert new.began == [1.0, 11.0]


async def test_setting_the_wall_clock_changes_nothing():
    clock = LoopClock()
    bench, probe = Bench(clock), Quick()
    bench.add("steady", probe)
    async with bench.running():
        for wall in (0.0, 9e9, 1.7e9):
            await asyncio.sleep(7.0)
            clock.set_wall(wall)
        await asyncio.sleep(10.0)
    assert probe.began == [0.0, 10.0, 20.0, 30.0]


async def test_a_machine_that_slept_makes_up_for_no_missed_look():
    bench, probe = Bench(), Quick()
    bench.add("steady", probe)
    bench.sampler.run_due()
    await asyncio.sleep(10.0)
    bench.sampler.run_due()
    await asyncio.sleep(1000.0)
    bench.sampler.run_due()
    assert bench.sampler.run_due() == 10.0
    assert probe.began == [0.0, 10.0, 1010.0]


async def test_the_turn_that_ran_what_was_due_does_not_wake_itself():
    bench = Bench()
    bench.add("steady", Quick())
    bench.sampler.changed.clear()
    assert bench.sampler.run_due() == 10.0
    assert not bench.sampler.changed.is_set()


async def test_a_listener_that_raises_takes_no_probe_off_the_timetable():
    bench, probe = Bench(), Quick()
    bench.ring.reader.subscribe(lambda *row: 1 / 0)
    bench.add("steady", probe)
    bench.sampler.run_due()
    await asyncio.sleep(10.0)
    bench.sampler.run_due()
    assert probe.began == [0.0, 10.0]


async def test_all_can_be_looked_at_now_without_disturbing_the_timetable():
    bench, quick, slow = Bench(), Quick(), Slow(takes_s=1.0)
    bench.add("quick", quick)
    bench.add("slow", slow)
    async with bench.running():
        await asyncio.sleep(4.0)
        readings = await bench.sampler.look_at_all()
        assert {reading.probe for reading in readings} == {"quick", "slow"}
        reading = await bench.sampler.look_at("slow")
        assert (reading.probe, reading.at) == ("slow", 6.0)
        await asyncio.sleep(5.0)
    assert quick.began == [0.0, 4.0, 10.0]


async def test_the_first_periods_are_spread_so_that_probes_do_not_all_run_together():
    bench = Bench()
    bench.sampler = Sampler(clock=bench.clock, ring=bench.ring, on_reading=bench.readings.append, jitter=1.0)
    probes = [Quick() for _ in range(40)]
    for number, probe in enumerate(probes):
        bench.add(f"probe-{number}", probe)
    async with bench.running():
        await asyncio.sleep(60.0)
    seconds = {probe.began[1] for probe in probes}
    assert len(seconds) > 3
    assert all(5.0 <= second <= 10.0 for second in seconds)
    for probe in probes:
        later = probe.began[1:]
        assert all(b - a == pytest.approx(10.0) for a, b in itertools.pairwise(later))


async def test_a_look_that_is_not_back_gets_a_second_one_beside_it():
    bench = Bench()
    slow = Slow(takes_s=1.0)
    bench.add("hedged", slow, every_s=10.0).hedge_s = 0.25
    async with bench.running():
        await asyncio.sleep(2.0)
    assert slow.began == [0.0, 0.25]
    assert [reading.at for reading in bench.readings] == [1.0, 1.25]


async def test_a_look_that_is_back_in_time_gets_none():
    bench = Bench()
    fast = Slow(takes_s=0.2)
    bench.add("hedged", fast, every_s=10.0).hedge_s = 0.25
    async with bench.running():
        await asyncio.sleep(2.0)
    assert fast.began == [0.0]


async def test_look_soon_brings_the_next_look_forward_once():
    bench = Bench()
    probe = Slow()
    bench.add("watched", probe, every_s=10.0)
    async with bench.running():
        await asyncio.sleep(1.0)
        bench.sampler.look_soon("watched")
        bench.sampler.look_soon("nobody")
        await asyncio.sleep(5.0)
    assert probe.began == [0.0, 1.0]
