"""What is foretold, stored, judged and counted, over restarts; with a real store in memory and a clock that is told."""

from contextlib import asynccontextmanager

import pytest

from autonomyd.engine.insight.predictions import FORETELL_EVERY_S, make_predictions
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.records import Records
from autonomyd.knowledge.issues import Issues
from autonomyd.knowledge.store import Store
from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import LogErrors
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.forecast import BackTest, Forecast
from autonomyd.model.health import Severity
from autonomyd.model.issue import Finding, IssueState, IssueType
from autonomyd.model.plan import Plan, Risk
from autonomyd.model.prediction import PredictionKind, Verdict
from autonomyd.model.risk import RiskKey, RiskOf
from autonomyd.model.subject import HOST, Subject, service_subject
from autonomyd.settings.root import Settings
from autonomyd.testing import ManualClock

HOUR_S, DAY_S = 3600.0, 86400.0
WEB, VAR = service_subject("web"), Subject("disk:/var")
DOWN = Finding(
    type=IssueType.SERVICE_DOWN, subject=WEB, metric="process", severity=Severity.CRITICAL, summary="web is down"
)


class Bench:
    """One daemon's parts around a store; `restart` makes new ones around the same."""

    def __init__(self, store, clock):
        self.store, self.clock = store, clock
        self.errors = []
        self._make()

    def _make(self):
        self.records = Records(self.clock)
        self.records.attach(self.store)
        self.monitoring = SelfMonitoringSystem(
            clock=self.clock, next_issue_id=lambda: self.records.next_id("issue"), on_issue=self.records.issue
        )
        settings = Settings()
        self.book = make_predictions(
            clock=self.clock, settings=lambda: settings, records=self.records, monitoring=self.monitoring,
            log_errors=lambda: self.errors,
        )  # fmt: skip

    async def begin(self):
        await self.book.restore()
        self.records.event("daemon_started", HOST, "watching")
        await self.book.catch_up()
        return self

    async def restart(self, *, away_s=0.0, killed=False):
        if not killed:
            self.records.event("daemon_stopped", HOST, "services go on running")
        await self.records.drained()
        self.clock.advance(away_s)
        self._make()
        self.monitoring.book.restore(await Issues(self.store).open())
        return await self.begin()

    async def turn(self, seconds=FORETELL_EVERY_S):
        self.clock.advance(seconds)
        await self.book.catch_up()

    async def fails(self, finding=DOWN, *, lasts_s=60.0):
        issue, _ = self.monitoring.book.report(finding, wall_now=self.clock.wall())
        self.clock.advance(lasts_s)
        self.monitoring.book.clear(issue.key, cause="well", wall_now=self.clock.wall())
        await self.book.catch_up()

    async def daily(self, days, finding=DOWN):
        """It fails once a day, in the middle of the night."""
        for _ in range(days):
            await self.fails(finding)
            await self.turn(6 * HOUR_S)
            await self.turn(6 * HOUR_S)
            self.clock.advance(12 * HOUR_S - 60.0)

    async def fixed(self, *, subject_issue=None, service="web", strategy="restart"):
        plan = Plan(
            strategy=strategy, cause=Cause.PROCESS_HUNG, steps=(), confidence=90.0, risk=Risk.LOW, disruptive=True,
            reversible=True, service=service, issue_id=subject_issue,
        )  # fmt: skip
        now = self.clock.wall()
        fix = Fix(
            id=self.records.next_id("fix"), plan=plan, state=FixState.COMMITTED, actor="autonomyd", started_at=now,
            ended_at=now, outcome=Outcome.HEALED,
        )  # fmt: skip
        await self.records.fixes.save(fix)

    @property
    def report(self):
        return self.book.report()


@asynccontextmanager
async def bench():
    clock = ManualClock()
    store = await Store.open(":memory:", clock=clock)
    try:
        yield await Bench(store, clock).begin()
    finally:
        await store.close()


def forecast(bench, **more):
    fields = {
        "subject": VAR, "metric": "disk.used_percent", "unit": "%", "at": bench.clock.wall(), "value": 80.0,
        "bound": 100.0, "per_s": 1e-4, "left_s": 9 * HOUR_S, "soonest_s": 6 * HOUR_S, "latest_s": 14 * HOUR_S,
        "backtest": BackTest(cases=50, covered=41), "words": "disk /var is full in 9 h (6 to 14)",
    }  # fmt: skip
    return Forecast(**(fields | more))


async def test_what_fails_every_day_is_foretold_and_comes_true():
    async with bench() as made:
        await made.daily(12)
        (open_now,) = made.report.open
        assert (open_now.kind, open_now.subject, open_now.type) == (PredictionKind.FAILURE, WEB, IssueType.SERVICE_DOWN)
        assert open_now.probability >= 0.7
        assert "service down (process) comes again within 24 h: it came 12 times" in open_now.words
        right = made.report.right
        await made.fails()
        report = made.report
        assert report.right == right + 1
        assert report.judged[0].why.startswith("it came after")
        assert report.precision == 1.0
        assert 0.0 < report.recall < 1.0, "the first ones nobody could foretell"
        assert report.foretold + report.missed == 13
        assert report.lead_s > 12 * HOUR_S


async def test_what_did_not_come_was_wrong():
    async with bench() as made:
        await made.daily(8)
        before = made.report
        for _ in range(10 * 24):
            await made.turn(HOUR_S)
        assert made.report.judged[0].verdict is Verdict.WRONG
        assert 1 <= made.report.wrong <= 4, "what stays away is soon foretold no more"
        assert made.report.right == before.right
        assert not made.report.open


async def test_a_fix_between_makes_it_void():
    async with bench() as made:
        await made.daily(8)
        assert made.report.open
        await made.turn(HOUR_S)
        await made.fixed()
        await made.turn(DAY_S)
        assert (made.report.void, made.report.wrong) == (1, 0)
        assert made.report.judged[0].why == "restart came between"


@pytest.mark.parametrize("killed", [False, True])
async def test_a_gap_in_the_data_makes_it_void_over_a_restart(killed):
    async with bench() as made:
        await made.daily(8)
        before = made.report
        await made.restart(away_s=4 * HOUR_S, killed=killed)
        assert [each.id for each in made.report.open] == [each.id for each in before.open]
        await made.turn(DAY_S)
        assert made.report.void == 1
        assert "nobody looked for" in made.report.judged[0].why


async def test_nothing_is_lost_or_counted_twice_by_a_restart():
    async with bench() as made:
        await made.daily(10)
        risks = (await made.book.risks.report()).rows
        before = made.report
        await made.restart()
        assert made.report == before
        assert (await made.book.risks.report()).rows == risks
        await made.fails()
        assert made.report.foretold == before.foretold + 1


async def test_what_came_while_it_could_not_judge_is_judged_after_the_restart():
    async with bench() as made:
        await made.daily(10)
        right = made.report.right
        made.monitoring.book.report(DOWN, wall_now=made.clock.wall() + 60.0)
        await made.restart(killed=True, away_s=120.0)
        assert made.report.right == right + 1
        assert not made.report.open


async def test_what_is_there_is_not_foretold():
    async with bench() as made:
        await made.daily(8)
        await made.turn(DAY_S)
        made.monitoring.book.report(DOWN, wall_now=made.clock.wall())
        for _ in range(5):
            await made.turn(DAY_S)
        assert made.report.open == ()


async def test_notices_and_warnings_of_what_is_to_come_are_no_failures():
    notice = Finding(
        type=IssueType.ANOMALY, subject=WEB, metric="behaviour", severity=Severity.NOTICE, summary="it is odd"
    )
    soon = Finding(
        type=IssueType.RESOURCE_EXHAUSTION, subject=WEB, metric="rss_mb.soon", severity=Severity.WARNING, summary="s"
    )
    async with bench() as made:
        await made.fails(notice)
        await made.fails(soon)
        assert (await made.book.risks.report()).rows == ()
        assert made.report.missed == 0


async def test_what_was_written_while_the_clock_was_wrong_is_counted_and_left_out():
    async with bench() as made:
        await made.fails()
        right = made.clock.wall()
        for wrong in (100.0, right + 9e8):
            made.clock.set_wall(wrong)
            issue, _ = made.monitoring.book.report(DOWN, wall_now=wrong)
            made.monitoring.book.clear(issue.key, cause="well", wall_now=wrong)
        made.clock.set_wall(right + 60.0)
        await made.restart()
        report = await made.book.risks.report()
        assert report.odd > 0
        assert {row.count for row in report.rows} == {1}


async def test_error_patterns_count_once_as_long_as_they_are_seen():
    seen = LogErrors(check="log", rule="refused: .*", count=7, example="connection refused: 1.2.3.4")
    async with bench() as made:
        for errors in ([(WEB, seen)], [(WEB, seen)], [], [(WEB, seen)]):
            made.errors = errors
            await made.turn(60.0)
        await made.turn(60.0)
        (row,) = (await made.book.risks.report()).rows
        assert row.key == RiskKey(of=RiskOf.PATTERN, subject=WEB, name="refused: .*")
        assert row.count == 2
        assert made.report.missed == 0, "a line in a log is no failure"


async def test_a_forecast_becomes_one_prediction():
    async with bench() as made:
        prediction = made.book.from_forecast(forecast(made))
        assert prediction is not None
        assert prediction.words == "disk /var is full in 9 h (6 to 14)"
        assert made.book.from_forecast(forecast(made, left_s=1e4)) is None, "the same one is open"
        assert made.book.from_forecast(forecast(made, metric="m", latest_s=None)) is None


@pytest.mark.parametrize(
    ("after_h", "value", "verdict"),
    [(3, 100.0, Verdict.WRONG), (8, 100.0, Verdict.RIGHT), (8, 99.0, Verdict.PENDING), (15, 99.0, Verdict.WRONG)],
)
async def test_a_forecast_is_judged_by_the_series(after_h, value, verdict):
    async with bench() as made:
        made.book.from_forecast(forecast(made, subject=Subject("application"), metric="queue"))
        made.clock.advance(after_h * HOUR_S)
        made.monitoring.push("queue", value)
        await made.book.catch_up()
        (found,) = (*made.report.open, *made.report.judged)
        assert found.verdict is verdict


async def test_one_that_falls_to_its_bound():
    async with bench() as made:
        found = forecast(made, subject=Subject("application"), metric="days", value=30.0, bound=7.0, per_s=-1e-5)
        made.book.from_forecast(found)
        for value, verdict in ((8.0, Verdict.PENDING), (7.0, Verdict.RIGHT)):
            made.clock.advance(4 * HOUR_S)
            made.monitoring.push("days", value)
            await made.book.catch_up()
            assert [each.verdict for each in (*made.report.open, *made.report.judged)] == [verdict]


async def test_room_that_was_made_ends_a_forecast():
    async with bench() as made:
        full = Finding(
            type=IssueType.RESOURCE_EXHAUSTION, subject=VAR, metric="disk.used_percent", severity=Severity.WARNING,
            summary="full",
        )  # fmt: skip
        made.book.from_forecast(forecast(made))
        issue, _ = made.monitoring.book.report(full, wall_now=made.clock.wall())
        made.clock.advance(60.0)
        await made.fixed(subject_issue=issue.id, service=None, strategy="free-disk-space")
        await made.turn(60.0)
        assert made.report.judged[0].why == "free-disk-space came between"
        assert made.book.from_forecast(forecast(made)) is not None, "a new one may be made at once"


async def test_the_first_turn_leaves_the_start_alone():
    async with bench() as made:
        await made.restart()
        made.clock.advance(1.0)
        issue, _ = made.monitoring.book.report(DOWN, wall_now=made.clock.wall())
        await made.book.tick()
        assert made.report.missed == 0
        await made.book.tick()
        assert made.report.missed == 1
        assert made.book.risks.again(issue) is not None


async def test_old_verdicts_are_forgotten_and_open_ones_stay():
    async with bench() as made:
        await made.daily(10)
        await made.records.drained()
        made.clock.advance(91 * DAY_S)
        await made.store.maintain()
        kept = await made.records.predictions.recent()
        assert [each.pending for each in kept] == [True]
        assert made.records.next_id("prediction") > kept[0].id


async def test_an_open_issue_ends_in_the_book_when_it_ends():
    async with bench() as made:
        issue, _ = made.monitoring.book.report(DOWN, wall_now=made.clock.wall())
        await made.turn(60.0)
        key = RiskKey(of=RiskOf.COMPONENT, subject=WEB)
        present = [row.present for row in (await made.book.risks.report()).rows if row.key == key]
        made.monitoring.book.move(issue, IssueState.RESOLVED, cause="well", wall_now=made.clock.wall())
        await made.turn(60.0)
        after = [row.present for row in (await made.book.risks.report()).rows if row.key == key]
        assert (present, after) == ([True], [False])
