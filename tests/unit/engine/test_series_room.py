"""Where only so many series are judged: those that come no more make room, and what comes is never pushed out."""

import pytest

from autonomyd.analyze.anomaly.evidence import Contributor
from autonomyd.analyze.issuebook import IssueBook
from autonomyd.engine.insight import rates, shifts
from autonomyd.engine.insight.behaviour import BEHAVIOUR, Behaviour
from autonomyd.engine.insight.capacities import capacities
from autonomyd.engine.insight.rates import RateWatch
from autonomyd.engine.insight.room import FULL_S, UNUSED_S, Room
from autonomyd.engine.insight.shifts import ShiftWatch
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.records import Records
from autonomyd.model.issue import IssueType
from autonomyd.model.subject import HOST, Subject
from autonomyd.monitor.ring import MetricsRing
from autonomyd.settings.root import Settings
from autonomyd.testing import ManualClock

WEB = Subject("service:web")
USB = Subject("disk:/mnt/usb")


def test_the_one_unused_for_longest_leaves_and_nobody_who_is_in_use() -> None:
    room = Room()
    used = [(100.0, "a"), (50.0, "b"), (90.0, "c")]
    assert room.leaver(50.0 + UNUSED_S - 1.0, used) is None
    assert room.leaver(50.0 + UNUSED_S, used) is None  # it has just been looked for
    assert room.leaver(50.0 + UNUSED_S + FULL_S, used) == "b"


def test_shifts_are_judged_of_new_series_when_old_ones_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shifts, "MOST_SERIES", 4)
    clock, ring = ManualClock(), MetricsRing(10)
    watch = ShiftWatch(clock=clock, records=Records(clock), metrics=ring.reader)
    for number in range(6):
        ring.append(HOST, "probe", clock.monotonic(), {f"old{number}": 1.0}, {})
    assert len(watch._detectors) == 4
    for row in range(1200):
        clock.advance(10)
        ring.append(WEB, "process", clock.monotonic(), {"rss_mb": 100.0 + (row % 7) / 10 + 80.0 * (row >= 700)}, {})
    assert len(watch._detectors) == 4
    assert [(shift.subject, shift.metric) for shift in watch.newest] == [(WEB, "rss_mb")]


async def test_a_rate_is_judged_of_new_series_and_what_went_away_is_a_problem_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rates, "MOST_SERIES", 1)
    clock = ManualClock()
    settings = Settings(detectors={"rates": {"disk.used_percent": {"change": 10.0, "within_s": 300.0}}})  # type: ignore[arg-type]
    monitoring = SelfMonitoringSystem(settings, clock=clock)
    watch = RateWatch(clock=clock, settings=lambda: settings, book=monitoring.book, metrics=monitoring.metrics)

    def fill(subject: Subject) -> set[tuple[Subject, str]]:
        for value in range(0, 40, 4):
            clock.advance(10.0)
            monitoring._ring.append(subject, "host", clock.monotonic(), {"disk.used_percent": float(value)}, {})
        return {(each.subject, each.metric) for each in monitoring.book.open_issues()}

    assert fill(USB) == {(USB, "disk.used_percent.rate")}
    assert fill(Subject("disk:/data")) == {(USB, "disk.used_percent.rate")}
    clock.advance(UNUSED_S + FULL_S)
    assert fill(Subject("disk:/data")) == {(Subject("disk:/data"), "disk.used_percent.rate")}
    await watch.close()


def test_behaviour_is_told_again_when_its_notice_was_ended_by_others() -> None:
    book = IssueBook(next_id=iter(range(1, 9)).__next__, listen=lambda issue, transition: None)
    behaviour = Behaviour(book)
    found = Contributor(
        metric="cpu", unit="%", since=0.0, seen=0.0, looked=0.0, value=99.0, expected=5.0, spread=1.0, strength=8.0
    )  # fmt: skip
    behaviour.surprised(WEB, found)
    for at in range(0, 900, 10):
        behaviour.looked(WEB, "cpu", float(at), True)
    key = (IssueType.ANOMALY, WEB, BEHAVIOUR)
    behaviour.judge(900.0, silent=lambda subject, metric: False)
    assert book.find(key) is not None
    book.clear(key, cause="the service is configured anew", wall_now=901.0)
    behaviour.judge(902.0, silent=lambda subject, metric: False)
    assert book.find(key) is not None
    assert len(book.open_issues()) == 1


def test_nothing_is_foretold_of_what_was_taken_away_or_of_a_bound_of_nothing() -> None:
    clock, ring = ManualClock(), MetricsRing(10)
    settings = Settings(thresholds={"custom": {"debt": {"enter": 0.0, "clear": -5.0}}})  # type: ignore[arg-type]
    ring.append(USB, "host", clock.monotonic(), {"disk.used_percent": 50.0}, {})
    ring.append(Subject("application"), "pushed:debt", clock.monotonic(), {"debt": -3.0}, {})
    seen_at = clock.monotonic()
    found, _ = capacities(ring.reader, settings)
    assert [(each.subject, each.bound) for each in found] == [(USB, 100.0)]
    assert capacities(ring.reader, settings, since=seen_at + 1.0) == ((), ())
