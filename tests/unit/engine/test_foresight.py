"""Foresight in the daemon: warned in time, silent in ordinary life, acted on only when tested, kept over a restart."""

import math
import random

import pytest

from autonomyd.analyze.diagnosis import diagnose
from autonomyd.engine.insight.foresight import Foresight, foretold
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.records import Records
from autonomyd.model.diagnosis import Cause
from autonomyd.model.health import HealthStatus, Severity
from autonomyd.model.issue import IssueType
from autonomyd.model.service import RunState, ServiceRun
from autonomyd.model.subject import HOST, Subject, service_subject
from autonomyd.settings.root import Settings
from autonomyd.settings.service import Limits
from autonomyd.testing import ManualClock, issue, memory_store, service_settings, situation

DISK = Subject("disk:/var")
USED = "disk.used_percent"
HOUR_S = 3600.0


class World:
    def __init__(self, settings=None, *, services=None, records=None, clock=None):
        self.clock = clock or ManualClock()
        self.monitoring = SelfMonitoringSystem(settings or Settings(), clock=self.clock)
        self.services = services or {}
        self.told = []
        self.foresight = Foresight(
            clock=self.clock,
            settings=lambda: self.monitoring.settings,
            monitoring=self.monitoring,
            services=lambda: self.services,
            records=records or Records(self.clock),
            on_forecast=self.told.append,
        )

    async def live(self, value_of, *, hours, subject=DISK, metric=USED, every_s=60.0, turn_s=240.0, **more):
        """`value_of` hours since the begin; `more` are further values of the subject."""
        begin = self.clock.monotonic()
        turn = begin
        while (now := self.clock.monotonic()) < begin + hours * HOUR_S:
            self.clock.advance(every_s)
            values = {metric: value_of((now - begin) / HOUR_S), **more}
            self.monitoring._ring.append(subject, "probe", self.clock.monotonic(), values, {})
            if now >= turn:
                turn += turn_s
                await self.foresight.tick()
        return self

    @property
    def issues(self):
        return [each for each in self.monitoring.book.open_issues() if foretold(each)]


def noisy(rng, value_of, deviation=0.05):
    return lambda hours: value_of(hours) + rng.gauss(0.0, deviation)


async def test_a_tested_forecast_warns_before_the_disk_is_full():
    world = await World().live(noisy(random.Random(1), lambda hours: 40.0 + hours), hours=40, every_s=120.0)
    (found,) = world.issues
    assert found.metric == f"{USED}.soon"
    assert found.severity is Severity.WARNING
    assert found.summary.startswith("disk /var is full in ")
    assert "it grows 1 % an hour" in found.summary
    (forecast,) = world.foresight.report().forecasts
    assert forecast.acts
    assert forecast.soonest_s < 20 * HOUR_S < forecast.latest_s
    assert forecast == world.foresight.forecast_of(DISK, USED)
    assert world.told[0].subject == DISK


async def test_an_untested_forecast_is_a_notice_that_hurts_nobody():
    world = await World().live(
        noisy(random.Random(1), lambda hours: 60.0 + 20.0 * hours, 0.02), hours=1.7, every_s=10.0
    )
    (found,) = world.issues
    assert found.severity is Severity.NOTICE
    assert "earlier forecasts" in found.evidence[0]
    assert world.monitoring.report().status is not HealthStatus.DEGRADED


async def test_what_moves_fast_is_told_between_two_turns():
    world = World()
    await world.live(lambda hours: 10.0, hours=0.1, every_s=10.0)
    await world.live(lambda hours: 10.0 + hours * 3600.0 * 0.4, hours=0.045, every_s=10.0, turn_s=1e9)
    assert [each.severity for each in world.issues] == [Severity.NOTICE]


async def test_it_clears_when_the_growth_ends():
    rng = random.Random(1)
    world = await World().live(noisy(rng, lambda hours: 40.0 + hours), hours=40, every_s=120.0)
    assert world.issues
    await world.live(noisy(rng, lambda hours: 30.0, 0.0), hours=20, every_s=120.0)
    assert not world.issues


async def test_ordinary_life_is_not_warned_of():
    """50 ordinary series for 20 hours: noise, swings of the day, saw-teeth, bursts, files that come and go."""
    world = World()
    rng = random.Random(7)
    kinds = ("noise", "walk", "day", "saw", "burst", "still")
    series = [(Subject(f"disk:/d{index}"), kinds[index % 6], rng.uniform(10.0, 75.0)) for index in range(50)]
    state = dict.fromkeys((subject for subject, _, _ in series), 0.0)
    opened = []
    for step in range(20 * 60):
        world.clock.advance(60.0)
        for subject, kind, level in series:
            value = level + rng.gauss(0.0, 0.2)
            if kind == "walk":
                state[subject] = 0.95 * state[subject] + rng.gauss(0.0, 0.5)
            elif kind == "day":
                state[subject] = 8.0 * math.sin((step / 60.0 + level) * math.pi / 12.0)
            elif kind == "saw":
                state[subject] = 12.0 * (step % (30 + int(level))) / (30 + level)
            elif kind == "burst":
                state[subject] = max(0.0, state[subject] - 0.5) if rng.random() > 0.01 else 15.0 * rng.random()
            values = {USED: level if kind == "still" else min(99.0, max(0.0, value + state[subject]))}
            world.monitoring._ring.append(subject, "probe", world.clock.monotonic(), values, {})
        if step % 4 == 3:
            await world.foresight.tick()
            opened += [each for each in world.issues if each.severity is Severity.WARNING]
    assert opened == []
    assert len(world.foresight.report().standing) + len(world.foresight.report().forecasts) == 50


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
async def test_bad_samples_are_counted_and_change_nothing(bad):
    world = await World().live(lambda hours: bad if int(hours * 60) % 3 else 40.0, hours=2)
    assert not world.issues
    assert world.foresight.report().skipped > 30


async def test_growth_is_told_in_bytes_where_they_are_known():
    more = {"disk.free_mb": 60_000.0}
    world = await World().live(noisy(random.Random(1), lambda hours: 40.0 + hours), hours=40, every_s=120.0, **more)
    (forecast,) = world.foresight.report().forecasts
    assert forecast.growth.endswith(" GB an hour")


async def test_a_leak_is_told_and_forgotten_with_its_process():
    settings = Settings(services={"web": service_settings(limits=Limits(rss_mb=1000.0))})
    managed = type("Managed", (), {"run": ServiceRun(state=RunState.RUNNING, pid=7)})()
    world = World(settings, services={"web": managed})
    subject = service_subject("web")
    grows = noisy(random.Random(1), lambda hours: 100.0 + 20.0 * hours, 0.5)
    await world.live(grows, hours=30, subject=subject, metric="rss_mb", every_s=120.0)
    (found,) = world.issues
    assert found.metric == "rss_mb.leak.soon"
    assert found.summary.startswith("web leaks: it reaches its limit of 1000 MB in ")
    managed.run = ServiceRun(state=RunState.RUNNING, pid=8)
    await world.foresight.tick()
    assert not world.issues
    assert not world.foresight.report().forecasts


async def test_two_checks_under_one_name_are_not_mixed():
    from autonomyd.monitor.probes.directory import DirectoryOptions

    checks = tuple(DirectoryOptions(type="directory", path=path, max_mb=10.0) for path in ("/a", "/b"))
    world = World(Settings(services={"web": service_settings(checks=checks)}))
    await world.live(lambda hours: hours, hours=0.2, subject=service_subject("web"), metric="directory_mb")
    assert world.foresight.report().unwatched == ("service:web/directory_mb: two checks measure it",)
    assert not world.foresight.report().standing


async def test_switched_off_it_says_nothing():
    world = World(Settings(forecast={"enabled": False}))
    await world.live(lambda hours: 50.0 + 30.0 * hours, hours=1)
    assert not world.issues
    assert not world.foresight.report().forecasts


async def test_what_was_learned_is_kept_over_a_restart():
    clock = ManualClock()
    async with memory_store(clock) as store:
        records = Records(clock)
        records.attach(store)
        world = World(records=records, clock=clock)
        await world.live(noisy(random.Random(1), lambda hours: 40.0 + hours), hours=40, every_s=120.0)
        before = world.foresight.forecast_of(DISK, USED)
        await world.foresight.close()
        again = World(records=records, clock=clock)
        again.monitoring.book.restore(world.monitoring.book.open_issues())
        await again.foresight.restore()
        await again.live(lambda hours: 80.0 + hours, hours=0.1)
        after = again.foresight.forecast_of(DISK, USED)
        assert after.left_s == pytest.approx(before.left_s, rel=0.1)
        assert after.backtest == before.backtest
        assert [each.severity for each in again.issues] == [Severity.WARNING]
        await records.drained()


@pytest.mark.parametrize("kept", [{"at": 1.7e9}, {"at": 1.7e9, "rungs": "x"}, {"at": "x"}, [], 7])
async def test_what_was_kept_and_cannot_be_read_begins_anew(kept):
    clock = ManualClock()
    async with memory_store(clock) as store:
        records = Records(clock)
        records.attach(store)
        await records.states.put(f"forecast:{DISK}/{USED}", kept)
        world = World(records=records, clock=clock)
        await world.foresight.restore()
        await world.live(lambda hours: 50.0, hours=0.2)
        assert world.foresight.report().standing[0].subject == DISK
        await records.drained()


async def test_an_issue_of_the_last_run_ends_when_its_series_is_gone():
    world = World()
    old = issue(IssueType.RESOURCE_EXHAUSTION, subject=Subject("disk:/gone"), metric=f"{USED}.soon")
    world.monitoring.book.restore([old])
    await world.live(lambda hours: 50.0, hours=0.1)
    assert not world.issues


def test_a_disk_that_will_be_full_is_a_disk_that_fills():
    soon = issue(
        IssueType.RESOURCE_EXHAUSTION,
        subject=DISK,
        metric=f"{USED}.soon",
        severity=Severity.WARNING,
        summary="disk /var is full in 9 h",
    )
    found = diagnose(soon, situation())
    assert found.cause.cause is Cause.DISK_FILLING
    assert not found.certain
    assert not foretold(issue(IssueType.RESOURCE_EXHAUSTION, metric="rss_mb.soon"))
    assert foretold(issue(IssueType.RESOURCE_EXHAUSTION, subject=HOST, metric="memory.percent.soon"))
