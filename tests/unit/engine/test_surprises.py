"""The watch over surprises: pace, notices, memory, and what outlives the daemon."""

import math
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from autonomyd.analyze.anomaly.detector import SURPRISE
from autonomyd.analyze.issuebook import IssueBook
from autonomyd.engine.insight import baselines, surprises
from autonomyd.engine.insight.surprises import LEARNING_S, PACE_S, SurpriseWatch
from autonomyd.engine.records import Records
from autonomyd.knowledge.store import Store
from autonomyd.model.health import Severity
from autonomyd.model.issue import Finding, Issue, IssueType, Transition
from autonomyd.model.subject import HOST, Subject
from autonomyd.model.words import DAY_S, HOUR_S, MINUTE_S
from autonomyd.monitor.ring import MetricsRing
from autonomyd.testing import ManualClock, memory_store

WEB = Subject("service:web")
UNITS = {"cpu": "%", "latency": "ms", "rss": "MB"}

Shape = Callable[[], dict[str, float]]


class Watched:
    """A watch over a ring of one subject, in hand-made time."""

    def __init__(self, clock: ManualClock | None = None, store: Store | None = None) -> None:
        self.clock = clock or ManualClock()
        self.ring = MetricsRing(100)
        self.records = Records(self.clock)
        if store is not None:
            self.records.attach(store)
        self.issues: list[tuple[Issue, Transition | None]] = []
        self.book = IssueBook(next_id=lambda: len(self.issues) + 1, listen=lambda *pair: self.issues.append(pair))
        self.watch = SurpriseWatch(clock=self.clock, records=self.records, metrics=self.ring.reader, book=self.book)

    async def run(self, seconds: float, shape: Shape, *, every_s: float = PACE_S, subject: Subject = WEB) -> None:
        for number in range(int(seconds / every_s)):
            self.clock.advance(every_s)
            self.ring.append(subject, "probe", self.clock.monotonic(), shape(), UNITS)
            if number * every_s % MINUTE_S < every_s:
                await self.watch.tick()

    def notices(self) -> list[Issue]:
        return [issue for issue in self.book.open_issues() if issue.type is IssueType.ANOMALY]


def usual(seed: int = 1) -> Shape:
    chance = random.Random(seed)
    return lambda: {
        "cpu": 20.0 + chance.gauss(0.0, 2.0),
        "latency": chance.lognormvariate(3.0, 0.3),
        "rss": 400.0 + chance.gauss(0.0, 5.0),
    }


def slow(shape: Shape) -> Shape:
    return lambda: {**shape(), "latency": 2000.0}


@asynccontextmanager
async def stored() -> AsyncIterator[tuple[ManualClock, Store]]:
    clock = ManualClock()
    async with memory_store(clock) as store:
        yield clock, store


async def test_it_says_what_it_is_learning_until_it_knows() -> None:
    watched = Watched()
    await watched.run(LEARNING_S / 2, usual())
    learning = watched.watch.learning()
    assert {each.metric for each in learning} == set(UNITS)
    assert all(each.left_s == pytest.approx(LEARNING_S / 2, abs=PACE_S) for each in learning)
    assert all(each.samples == LEARNING_S / 2 / PACE_S for each in learning)
    await watched.run(60.0, slow(usual(2)))
    assert not watched.watch.newest
    await watched.run(LEARNING_S, usual(3))
    assert watched.watch.learning() == ()
    assert watched.watch.known == len(UNITS)


async def test_a_surprise_is_told_once_with_what_was_expected() -> None:
    watched = Watched()
    await watched.run(2 * HOUR_S, usual())
    before = watched.clock.wall()
    await watched.run(120.0, slow(usual(2)))
    (found,) = watched.watch.since(before)
    assert (found.subject, found.metric, found.unit, found.value) == (WEB, "latency", "ms", 2000.0)
    assert found.score >= SURPRISE
    assert found.expected == pytest.approx(21.0, abs=3.0)
    assert found.at == pytest.approx(before + PACE_S)
    assert watched.watch.since(0.0, subject=HOST) == ()
    await watched.run(HOUR_S, usual(3))
    assert not watched.notices()


async def test_metrics_are_ranked_by_how_surprising_they_were() -> None:
    watched = Watched()
    await watched.run(2 * HOUR_S, usual())
    before = watched.clock.wall()
    shape = usual(2)
    await watched.run(60.0, lambda: {**shape(), "latency": 5000.0, "cpu": 90.0})
    await watched.run(2 * HOUR_S, shape)
    await watched.run(60.0, lambda: {**shape(), "latency": 20_000.0})
    ranked = watched.watch.contributors(WEB, before)
    assert [each.metric for each in ranked] == ["latency", "cpu"]
    assert ranked[0].value == 5000.0  # the second time is less of a surprise


async def test_one_metric_that_stays_away_opens_one_notice_that_ends_with_it() -> None:
    watched = Watched()
    await watched.run(3 * HOUR_S, usual())
    await watched.run(9 * MINUTE_S, slow(usual(2)))
    assert not watched.notices()
    await watched.run(5 * MINUTE_S, slow(usual(3)))
    (notice,) = watched.notices()
    assert (notice.subject, notice.metric, notice.severity) == (WEB, "behaviour", Severity.NOTICE)
    assert "latency at 2000 ms, usually" in notice.summary
    assert len(notice.evidence) == 1
    assert "by chance once in 10^" in notice.evidence[0]
    await watched.run(10 * MINUTE_S, slow(usual(4)))
    assert len(watched.issues) == 1  # nothing new, nothing said
    await watched.run(10 * MINUTE_S, usual(5))
    assert not watched.notices()
    assert watched.issues[-1][1] is not None
    assert "usual" in watched.issues[-1][1].cause


async def test_several_metrics_together_are_told_sooner_and_named() -> None:
    watched = Watched()
    await watched.run(3 * HOUR_S, usual())
    shape = usual(2)
    await watched.run(5 * MINUTE_S, lambda: {"cpu": 90.0 + shape()["cpu"] / 10, "latency": 4000.0, "rss": 2000.0})
    (notice,) = watched.notices()
    assert all(metric in notice.summary for metric in UNITS)
    assert len(notice.evidence) == 3


async def test_a_burst_is_no_notice() -> None:
    watched = Watched()
    await watched.run(3 * HOUR_S, usual())
    shape = usual(2)
    await watched.run(90.0, lambda: {"cpu": 99.0, "latency": 9000.0, "rss": 900.0})
    await watched.run(HOUR_S, shape)
    assert not watched.issues
    assert len(watched.watch.newest) >= 3


async def test_what_is_known_to_be_ill_is_not_told_to_behave_otherwise() -> None:
    watched = Watched()
    await watched.run(3 * HOUR_S, usual())
    ill = Finding(
        type=IssueType.HIGH_LATENCY, subject=WEB, metric="http", severity=Severity.WARNING, summary="it is slow"
    )
    watched.book.report(ill, wall_now=watched.clock.wall())
    await watched.run(20 * MINUTE_S, slow(usual(2)))
    assert not watched.notices()


async def test_a_notice_ends_when_nothing_more_comes() -> None:
    watched = Watched()
    await watched.run(3 * HOUR_S, usual())
    await watched.run(15 * MINUTE_S, slow(usual(2)))
    assert watched.notices()
    watched.clock.advance(20 * MINUTE_S)
    await watched.watch.tick()
    assert not watched.notices()


async def test_a_notice_of_an_earlier_run_ends_when_nothing_speaks_for_it() -> None:
    watched = Watched()
    old = Finding(
        type=IssueType.ANOMALY, subject=WEB, metric="behaviour", severity=Severity.NOTICE, summary="it was strange"
    )
    watched.book.report(old, wall_now=watched.clock.wall())
    await watched.watch.tick()
    assert not watched.notices()


async def test_what_comes_every_second_is_judged_by_its_mean_at_the_same_pace() -> None:
    watched = Watched()
    count = 0

    def shape() -> dict[str, float]:
        nonlocal count
        count += 1
        return {"cpu": 10.0 * (count % 9)}

    await watched.run(HOUR_S, shape, every_s=1.0)
    detector = watched.watch._subjects[WEB]["cpu"].detector
    assert detector.seen == pytest.approx(HOUR_S / (PACE_S - 1.0), rel=0.01)
    assert detector.spread < 1.0  # of the means: of the samples it is 22
    assert detector.expected == pytest.approx(40.0, abs=1.0)


async def test_bad_samples_are_counted_and_harmless() -> None:
    watched = Watched()
    await watched.run(HOUR_S, usual())
    await watched.run(600.0, lambda: {"cpu": math.inf, "latency": -math.inf, "rss": math.nan})
    assert watched.watch.refused == 120
    await watched.run(60.0, lambda: {"cpu": 1e308}, every_s=1.0)
    assert watched.watch.refused > 120
    watched.clock.set_wall(watched.clock.wall() - DAY_S)
    refused = watched.watch.refused
    await watched.run(600.0, usual(2))
    assert watched.watch.refused == refused + len(UNITS)  # the first of each after the clock was set back
    assert not watched.issues


async def test_a_flood_of_names_is_bounded_and_the_unused_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surprises, "MOST_SERIES", 20)
    watched = Watched()
    number = 0

    def flood() -> dict[str, float]:
        nonlocal number
        number += 1
        return {f"name{number}": 1.0, "cpu": 20.0}

    await watched.run(500.0, flood)
    assert watched.watch.known == 20
    assert watched.watch.crowded_out == 50 - 19
    await watched.run(1000.0, flood)
    assert watched.watch.known == 20
    assert "cpu" in watched.watch._subjects[WEB]
    assert len(watched.watch._subjects[WEB]) == 20
    flooded = Watched()
    for name in range(100):
        await flooded.run(PACE_S, flood, subject=Subject(f"process:{name}"))
    assert len(flooded.watch._subjects) <= 20


async def test_what_was_learned_outlives_the_daemon() -> None:
    async with stored() as (clock, store):
        first = Watched(clock, store)
        await first.run(3 * HOUR_S, usual())
        await first.watch.close()
        await first.records.drained()
        second = Watched(clock, store)
        await second.watch.restore()
        before = clock.wall()
        await second.run(60.0, slow(usual(2)))
        assert second.watch.learning() == ()
        assert [each.metric for each in second.watch.since(before)] == ["latency"]
        assert second.watch.newest[0].expected == pytest.approx(21.0, abs=3.0)


async def test_it_is_kept_every_hour_and_little() -> None:
    async with stored() as (clock, store):
        watched = Watched(clock, store)
        await watched.run(2.1 * HOUR_S, usual())
        found = await watched.records.read(lambda: watched.records.states.items(baselines.KEY), {})
        assert set(found) == {baselines.KEY + WEB}
        assert set(found[baselines.KEY + WEB]) == set(UNITS)
        rows = await store.fetch("states_with_prefix", {"prefix": baselines.KEY})
        assert len(rows[0]["body"]) <= 4096 * len(UNITS)


async def test_what_nothing_claims_is_let_go_and_what_is_damaged_is_learned_anew() -> None:
    async with stored() as (clock, store):
        first = Watched(clock, store)
        await first.run(2 * HOUR_S, usual())
        await first.run(2 * HOUR_S, usual(), subject=HOST)
        await first.watch.close()
        first.records.remember(f"{baselines.KEY}odd", {"x": 3.0})
        state = await first.records.read(lambda: first.records.states.get(baselines.KEY + HOST), None)
        first.records.remember(baselines.KEY + HOST, {**state, "cpu": {**state["cpu"], "version": 0}})
        await first.records.drained()
        second = Watched(clock, store)
        await second.watch.restore()
        await second.run(60.0, usual(2), subject=HOST)
        assert [each.metric for each in second.watch.learning()] == ["cpu"]
        clock.advance(31 * DAY_S)
        third = Watched(clock, store)
        await third.watch.restore()
        assert await third.records.read(lambda: third.records.states.items(baselines.KEY), {}) == {}


async def test_no_more_is_kept_than_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "MOST_KEPT", 4)
    async with stored() as (clock, store):
        first = Watched(clock, store)
        for name in range(4):
            await first.run(1.5 * HOUR_S, usual(), subject=Subject(f"service:s{name}"))
        await first.watch.close()
        await first.records.drained()
        second = Watched(clock, store)
        await second.watch.restore()
        kept = await second.records.read(lambda: second.records.states.items(baselines.KEY), {})
        assert sorted(kept) == [f"{baselines.KEY}service:s2", f"{baselines.KEY}service:s3"]


async def test_a_level_that_stays_is_an_event_and_no_longer_a_notice() -> None:
    async with stored() as (clock, store):
        watched = Watched(clock, store)
        await watched.run(3 * HOUR_S, usual())
        await watched.run(30 * MINUTE_S, slow(usual(2)))
        assert watched.notices()
        await watched.run(50 * MINUTE_S, slow(usual(3)))
        assert not watched.notices()
        events = await watched.records.read(lambda: watched.records.events.recent(limit=10), [])
        assert [(each.kind, each.subject) for each in events if each.kind == surprises.RECALIBRATED] == [
            (surprises.RECALIBRATED, WEB)
        ]
        assert any("latency has stayed near 2000 ms" in each.message for each in events)


async def test_it_listens_no_longer_once_closed() -> None:
    watched = Watched()
    await watched.run(60.0, usual())
    await watched.watch.close()
    await watched.run(60.0, lambda: {"new": 1.0})
    assert watched.watch.known == len(UNITS)
