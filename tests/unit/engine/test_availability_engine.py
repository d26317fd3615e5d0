"""How reliably a service works by the engine's eyes: time, not looks; restarts by hand and silence are not held against
it; flapping checks; the rates and silences that the configuration names."""

import pytest

from autonomyd.analyze.detectors.streak import StreakDetector
from autonomyd.engine.availability import AvailabilityJudge, objective_of
from autonomyd.engine.insight.absences import AbsenceWatch
from autonomyd.engine.insight.rates import RateWatch
from autonomyd.engine.insight.shifts import ShiftWatch
from autonomyd.engine.managed import ManagedCheck, ManagedService
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.records import Records
from autonomyd.model.health import HealthStatus, Severity
from autonomyd.model.issue import IssueType
from autonomyd.model.reading import Reading, ReadingState
from autonomyd.model.service import Intent, RunState, ServiceRun, ServiceState
from autonomyd.model.subject import Subject
from autonomyd.monitor.probe import Look
from autonomyd.monitor.ring import MetricsRing
from autonomyd.settings.root import Settings
from autonomyd.settings.service import CheckSettings
from autonomyd.testing import FakeControl, ManualClock, service_settings

WEB = Subject("service:web")
APPLICATION = Subject("application")


class Stage:
    """A service with one check every 10 s, and what its judge says."""

    def __init__(self, **service):
        self.clock = ManualClock()
        self.settings = Settings()
        self.open = {}
        self.service = ManagedService(
            name="web", settings=service_settings().model_copy(update=service), control=FakeControl(pid=5)
        )
        self.service.run = ServiceRun(state=RunState.RUNNING, pid=5)
        self.service.state = ServiceState.UP
        self.check = ManagedCheck(
            name="http", probe="web.http", settings=CheckSettings(type="http"), streak=StreakDetector(3)
        )
        self.check.about_service = True
        self.service.checks["http"] = self.check
        self.judge = AvailabilityJudge(
            self.service,
            lambda: self.settings,
            report=lambda finding: self.open.update({(finding.type, finding.metric): finding}),
            clear=lambda key, cause: self.open.pop(key, None),
        )

    def look(self, state=ReadingState.OK, *, after_s=10.0):
        self.clock.advance(after_s)
        at = self.clock.monotonic()
        self.check.streak.observe(at, state)
        reading = Reading(probe="web.http", subject=WEB, state=state, at=at)
        self.judge.heard(self.check, reading, every_s=10.0)

    def looks(self, count, state=ReadingState.OK, **more):
        for _ in range(count):
            self.look(state, **more)

    def become(self, state):
        self.service.state = state
        self.judge.observe(self.clock.monotonic())


def test_a_long_outage_burns_the_budget_and_its_end_ends_that():
    stage = Stage()
    stage.looks(360)
    stage.become(ServiceState.FAILING)
    stage.looks(60, ReadingState.FAILED)
    assert not stage.open, "that it is down has an issue of its own"
    stage.become(ServiceState.UP)
    stage.looks(2)
    found = stage.open[IssueType.LOW_AVAILABILITY, "availability"]
    assert found.severity is Severity.WARNING
    assert "its error budget is used up" in found.summary
    assert found.evidence[0].startswith("fixed objective 99 %")
    stage.looks(38)
    assert not stage.open
    assert stage.service.available[0] == pytest.approx(100 * 4000 / 4600, abs=1)


def test_a_check_that_fails_now_and_then_counts_for_the_time_that_it_fails():
    stage = Stage()
    for _ in range(200):
        stage.look(ReadingState.FAILED)
        stage.looks(4)
    assert stage.service.state is ServiceState.UP  # never three in a row
    assert stage.service.available[0] == pytest.approx(80, abs=1)
    assert (IssueType.LOW_AVAILABILITY, "availability") in stage.open


def test_a_quick_second_look_weighs_no_more_and_makes_no_check_restless():
    stage = Stage()
    for _ in range(20):
        stage.looks(20)
        stage.look(ReadingState.FAILED)
        stage.look(ReadingState.OK, after_s=1.25)
    assert stage.service.available[0] > 99.0
    assert not stage.open


def test_going_up_and_down_is_told_with_who_spoke():
    stage = Stage()
    for _ in range(8):
        stage.looks(2)
        stage.looks(2, ReadingState.FAILED)
    found = stage.open[IssueType.LOW_AVAILABILITY, "http.flapping"]
    assert "goes up and down" in found.summary
    assert "fixed threshold 30 %" in found.evidence[0]
    stage.looks(25)
    assert (IssueType.LOW_AVAILABILITY, "http.flapping") not in stage.open


def test_what_a_person_stops_or_restarts_is_not_held_against_it():
    stage = Stage()
    stage.looks(60)
    stage.become(ServiceState.STARTING)  # somebody restarts it
    stage.clock.advance(60)
    stage.become(ServiceState.UP)
    stage.looks(60)
    stage.service.intent = Intent.STOPPED
    stage.become(ServiceState.STOPPED)
    stage.clock.advance(7200)
    stage.judge.observe(stage.clock.monotonic())
    assert stage.service.available[0] == 100.0
    assert not stage.open


def test_what_died_is_down_until_it_is_up_again():
    stage = Stage()
    stage.looks(10)
    stage.become(ServiceState.DOWN)
    stage.clock.advance(50)
    stage.become(ServiceState.STARTING)
    stage.clock.advance(50)
    stage.become(ServiceState.UP)
    stage.looks(10)
    share, known_s = stage.service.available
    assert share == pytest.approx(100 * (1 - 100 / known_s), abs=0.5)


def test_unknown_looks_tell_nothing():
    stage = Stage()
    stage.become(ServiceState.UNKNOWN)
    stage.looks(100, ReadingState.UNKNOWN)
    assert stage.service.available is None
    assert not stage.open


def test_its_own_objective_goes_first_and_burn_rates_can_be_switched_off():
    assert objective_of(service_settings().model_copy(update={"objective": 99.9}), Settings()) == 99.9
    assert objective_of(service_settings(), Settings()) == 99.0
    stage = Stage(objective=90.0)
    stage.looks(360)
    stage.become(ServiceState.FAILING)
    stage.looks(60, ReadingState.FAILED)
    assert not stage.open  # an hour may have six minutes
    strict = Stage(objective=99.9)
    strict.settings = Settings(detectors={"burn_rate": False})
    strict.looks(100, ReadingState.FAILED)
    assert not strict.open


class Monitored:
    """The monitoring as it is, with settings that can change."""

    def __init__(self, **detectors):
        self.clock = ManualClock()
        self.settings = Settings(detectors=detectors)
        self.monitoring = SelfMonitoringSystem(self.settings, clock=self.clock)

    def issues(self):
        return {(each.subject, each.metric): each for each in self.monitoring.book.open_issues()}

    def push(self, metric, values, *, every_s=10.0, unit=""):
        for value in values:
            self.clock.advance(every_s)
            self.monitoring.push(metric, value, unit=unit)


async def test_a_rate_that_is_configured_is_told_and_let_go_with_its_setting():
    stage = Monitored(rates={"queue": {"change": 100, "within_s": 300}})
    watch = RateWatch(
        clock=stage.clock,
        settings=lambda: stage.settings,
        book=stage.monitoring.book,
        metrics=stage.monitoring.metrics,
    )
    stage.push("other", range(0, 1000, 50))
    stage.push("queue", range(0, 300, 10), unit="jobs")
    (found,) = stage.issues().values()
    assert found.metric == "queue.rate"
    assert found.severity is Severity.WARNING
    assert found.summary == "queue of application rose by 270 jobs within 5 min"
    assert found.evidence[0].startswith("fixed threshold +100 jobs")
    stage.settings = Settings()
    await watch.tick()
    assert not stage.issues()
    await watch.close()


def absences(stage, services=None):
    return AbsenceWatch(
        clock=stage.clock,
        settings=lambda: stage.settings,
        monitoring=stage.monitoring,
        services=lambda: services or {},
    )


async def test_a_pushed_metric_that_must_come_and_does_not():
    stage = Monitored(absence={"queue": 120})
    watch = absences(stage)
    stage.push("queue", [1, 2])
    stage.clock.advance(110)
    await watch.tick()
    assert not stage.issues()
    stage.clock.advance(20)
    await watch.tick()
    found = stage.issues()[APPLICATION, "queue.absent"]
    assert found.severity is Severity.WARNING
    assert found.evidence == ("fixed threshold 2 min",)
    stage.push("queue", [3])
    await watch.tick()
    assert not stage.issues()


async def test_the_metrics_of_a_service_that_is_configured_no_more_are_missed_by_nobody():
    stage = Monitored(absence={"latency_ms": 60})
    services = {"web": ManagedService(name="web", settings=service_settings(), control=FakeControl(pid=5))}
    services["web"].run = ServiceRun(state=RunState.RUNNING, pid=5)
    watch = absences(stage, services)
    stage.monitoring._ring.append(WEB, "web.http", stage.clock.monotonic(), {"latency_ms": 5.0}, {})
    stage.clock.advance(61)
    await watch.tick()
    assert set(stage.issues()) == {(WEB, "latency_ms.absent")}
    services["api"] = services.pop("web")
    await watch.tick()
    stage.clock.advance(61)
    await watch.tick()
    assert not any(subject == WEB for subject, _ in stage.issues())


async def test_one_that_never_came_is_told_too():
    stage = Monitored(absence={"queue": 120})
    watch = absences(stage)
    await watch.tick()
    stage.clock.advance(121)
    await watch.tick()
    assert [key[1] for key in stage.issues()] == ["queue.absent"]
    stage.push("queue", [1])
    await watch.tick()
    assert not stage.issues()


async def test_its_own_rhythm_is_worth_a_notice_and_costs_no_health():
    stage = Monitored()
    watch = absences(stage)
    stage.push("beat", range(40))
    stage.clock.advance(90)
    await watch.tick()
    assert not stage.issues()
    stage.clock.advance(11)
    await watch.tick()
    (found,) = stage.issues().values()
    assert found.severity is Severity.NOTICE
    assert found.evidence == ("learned rhythm: it comes every 10 s",)
    health = {each.subject: each.status for each in stage.monitoring.report().subjects}
    assert health[APPLICATION] is HealthStatus.HEALTHY


class Blind:
    """A probe that answers, and later can't tell."""

    metrics = ()

    def __init__(self):
        self.blind = False

    async def look(self):
        state = ReadingState.UNKNOWN if self.blind else ReadingState.OK
        return Look(state=state, values={} if self.blind else {"depth": 1.0}, message="it can't tell")


@pytest.mark.parametrize("blind", [True, False])
async def test_a_probe_that_can_not_tell_is_not_absent(blind):
    stage = Monitored(absence={"depth": 120})
    watch = absences(stage)
    probe = Blind()
    entry = stage.monitoring.watch("deep", Subject("pond"), probe, kind="command", every_s=10.0)
    await stage.monitoring.sampler.look_at_all()
    probe.blind = blind
    if blind:
        await stage.monitoring.sampler.look_at_all()
    assert (entry.last.state is ReadingState.UNKNOWN) is blind
    stage.clock.advance(300)
    await watch.tick()
    assert bool(stage.issues()) is not blind


async def test_a_service_that_does_not_run_is_not_absent_as_well():
    stage = Monitored(absence={"rss_mb": 60})
    service = ManagedService(name="web", settings=service_settings(), control=FakeControl())
    service.run = ServiceRun(state=RunState.GONE)
    watch = absences(stage, {"web": service})
    watch.hear(WEB, stage.clock.monotonic(), {"rss_mb": 5.0})
    stage.clock.advance(300)
    await watch.tick()
    assert not stage.issues()


async def test_a_notice_of_an_earlier_run_is_let_go():
    stage = Monitored()
    watch = absences(stage)
    stage.push("beat", range(40))
    stage.clock.advance(200)
    await watch.tick()
    assert stage.issues()
    await absences(stage).tick()
    assert not stage.issues()


async def test_shifts_are_heard_on_the_ring_and_told_in_the_diary():
    clock = ManualClock()
    records = Records(clock)
    told = []
    records.on_event = told.append
    ring = MetricsRing()
    watch = ShiftWatch(clock=clock, records=records, metrics=ring.reader)
    for row in range(1200):
        clock.advance(10)
        value = 100.0 + (row % 7) / 10 + (80 if row >= 700 else 0)
        ring.append(WEB, "process", clock.monotonic(), {"rss_mb": value, "fds": 12.0}, {"rss_mb": "MB"})
    (shift,) = watch.newest
    onset = clock.wall() - (1200 - 700) * 10
    assert abs(shift.at - onset) <= 10
    assert (shift.subject, shift.metric, shift.unit) == (WEB, "rss_mb", "MB")
    assert told[0].at == shift.at
    assert told[0].message.startswith("rss_mb went from 100.3 to 180.3 MB")
    assert watch.since(onset - 60, subject=WEB) == (shift,)
    assert watch.since(onset + 60) == ()
    await watch.close()
    ring.append(WEB, "process", clock.monotonic() + 10, {"new": 1.0}, {})
