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
    grows = noisy(random.Random(1), lambda hours: 60.0 + 20.0 * hours, 0.02)
    world = await World(Settings(forecast={"least_cases": 64})).live(grows, hours=1.7, every_s=10.0)
    (found,) = world.issues
    assert found.severity is Severity.NOTICE
    assert "earlier forecasts" in found.evidence[0]
    assert world.monitoring.report().status is not HealthStatus.DEGRADED


async def test_what_moves_fast_is_told_between_two_turns():
    world = World()
    await world.live(lambda hours: 10.0, hours=0.1, every_s=10.0)
    await world.live(lambda hours: 10.0 + hours * 3600.0 * 0.4, hours=0.045, every_s=10.0, turn_s=1e9)
    assert [each.severity for each in world.issues] == [Severity.WARNING]


async def test_it_clears_when_the_growth_ends():
    rng = random.Random(1)
    world = await World().live(noisy(rng, lambda hours: 40.0 + hours), hours=40, every_s=120.0)
    assert world.issues
    await world.live(noisy(rng, lambda hours: 30.0, 0.0), hours=20, every_s=120.0)
    assert not world.issues


class Ordinary:
    """A series as machines have them: noise, a walk, swings of the day, saw-teeth, bursts that drain, a large file that
    is written in a minute and goes again, stillness."""

    KINDS = ("noise", "walk", "day", "saw", "burst", "file", "still")

    def __init__(self, index, rng):
        self.subject = Subject(f"disk:/d{index}")
        self.kind = self.KINDS[index % len(self.KINDS)]
        self.level = rng.uniform(10.0, 75.0)
        self.period_s = 60.0 * rng.randrange(30, 110)
        self.beside = 0.0

    def value(self, at, rng):
        if self.kind == "still":
            return self.level
        if self.kind == "walk":
            self.beside = 0.99 * self.beside + rng.gauss(0.0, 0.2)
        elif self.kind == "day":
            self.beside = 8.0 * math.sin((at / HOUR_S + self.level) * math.pi / 12.0)
        elif self.kind == "saw":
            self.beside = 12.0 * (at % self.period_s) / self.period_s
        elif self.kind == "burst":
            self.beside = max(0.0, self.beside - 0.08) if rng.random() > 0.002 else 15.0 * rng.random()
        elif self.kind == "file":
            self.beside = 11.0 * min(1.0, at % self.period_s / 60.0) * (at % self.period_s < 900.0)
        return min(99.0, max(0.0, self.level + self.beside + rng.gauss(0.0, 0.2)))


@pytest.mark.parametrize("seed", [7])
async def test_ordinary_life_is_not_warned_of(seed):
    """50 ordinary series for 20 hours, a sample every 10 s."""
    world = World()
    rng = random.Random(seed)
    series = [Ordinary(index, rng) for index in range(50)]
    opened = []
    for step in range(20 * 360):
        world.clock.advance(10.0)
        for each in series:
            value = each.value(step * 10.0, rng)
            world.foresight._hear(each.subject, world.clock.monotonic(), {USED: value})
            if step < 2:
                world.monitoring._ring.append(each.subject, "probe", world.clock.monotonic(), {USED: value}, {})
        if step % 12 == 1:
            await world.foresight.tick()
            opened += [each for each in world.issues if each.severity is Severity.WARNING]
    assert opened == []
    assert len(world.foresight.report().standing) + len(world.foresight.report().forecasts) == 50


@pytest.mark.parametrize("fills_s", [120.0, 300.0])
async def test_a_folder_that_fills_for_the_first_time_and_fast_is_warned_of_in_time(fills_s):
    folder = Subject("folder:/spool")
    world = World()
    held = {"subject": folder, "metric": "folder.used_percent", "every_s": 10.0, "turn_s": 60.0}
    await world.live(noisy(random.Random(1), lambda hours: 20.0), hours=0.2, **held)
    grows = noisy(random.Random(2), lambda hours: 20.0 + 70.0 * hours * HOUR_S / fills_s)
    told_at = None
    begin = world.clock.monotonic()
    for step in range(int(fills_s / 10.0)):
        await world.live(lambda _, step=step: grows(step / 360.0), hours=1.0 / 360.0, **held)
        if told_at is None and world.issues:
            told_at = world.clock.monotonic() - begin
            (found,) = world.issues
            assert found.severity is Severity.WARNING
            assert "put to the test" in found.evidence[0]
            assert not world.told[0].acts
            assert world.foresight.only_told(found)
    assert told_at < 0.75 * fills_s
    await world.live(lambda hours: 20.0, hours=0.3, **held)
    assert not world.issues


async def test_certificates_are_in_the_report():
    from autonomyd.monitor.probes.certificate import CertificateOptions

    checks = (CertificateOptions(type="certificate", host="web.test"),)
    world = World(Settings(services={"web": service_settings(checks=checks), "far": service_settings(checks=checks)}))
    for name, days in (("web", 12.0), ("far", 300.0)):
        world.monitoring._ring.append(
            service_subject(name), "certificate", world.clock.monotonic(), {"days_left": days}, {"days_left": "d"}
        )
    world.clock.advance(86400.0)
    report = world.foresight.report()
    (forecast,) = report.forecasts
    assert forecast.left_s == forecast.soonest_s == forecast.latest_s == pytest.approx(11 * 86400.0)
    assert forecast.words.endswith("of web ends in 11 days")
    assert not forecast.acts
    (standing,) = report.standing
    assert (standing.subject, standing.value) == (service_subject("far"), pytest.approx(299.0))


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
