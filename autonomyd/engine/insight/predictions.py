"""The book of predictions: what is foretold is stored, and later marked right, wrong, or void with the reason.

Failures are foretold from the risk book, exhaustion from forecasts. One prediction of a kind is open at a time: it is
not made again, and not made better, before its time is over."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.analyze.risk.verdicts import Deed, Problem, came, foretold, settled
from autonomyd.engine.insight.risks import LogErrorsNow, News, RiskWatch
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.records import Records
from autonomyd.model.forecast import Forecast
from autonomyd.model.issue import IssueType
from autonomyd.model.prediction import Prediction, PredictionKind, PredictionReport, Verdict
from autonomyd.model.risk import RiskOf, RiskRow, RiskWay
from autonomyd.model.subject import Subject
from autonomyd.model.words import DAY_S, counted, duration
from autonomyd.settings.root import Settings

SINCE = "predictions_since"
LEAST_TIMES = 3
"""A thing that came less often is not foretold, whatever the figures say."""
FORETELL_EVERY_S = 900.0
FORECAST_SURE = 0.8
"""A forecast's interval holds the truth in 80 of 100 cases."""
MOST_OPEN = 500
KEPT_JUDGED = 2000
KEPT_DEEDS = 2000

log = structlog.get_logger(__name__)


class PredictionBook:
    """`tick` reads what is new, judges, and foretells; `from_forecast` and `foretell` are for whoever foresees."""

    def __init__(
        self,
        *,
        clock: Clock,
        settings: Callable[[], Settings],
        records: Records,
        monitoring: SelfMonitoringSystem,
        risks: RiskWatch,
    ) -> None:
        self.risks = risks
        self._clock = clock
        self._settings = settings
        self._records = records
        self._monitoring = monitoring
        self._open: dict[object, Prediction] = {}
        self._judged: deque[Prediction] = deque(maxlen=KEPT_JUDGED)
        self._deeds: deque[Deed] = deque(maxlen=KEPT_DEEDS)
        self._blind: deque[tuple[float, float]] = deque(maxlen=KEPT_DEEDS)
        self._since = 0.0
        self._foretold = 0
        self._missed = 0
        self._first_turn = True
        self._next_at = 0.0

    async def restore(self) -> None:
        """Take back the predictions of earlier runs. What happened since is read at the second turn of the loop."""
        records = self._records
        now = self._clock.wall()
        since = await records.read(lambda: records.states.get(SINCE), now)
        self._since = now if since is None else since
        if since is None:
            records.remember(SINCE, now)
        kept = await records.read(records.predictions.recent, [])
        pending = await records.read(records.predictions.pending, [])
        self._judged.extend(each for each in kept if not each.pending)
        self._open = {each.key: each for each in pending}

    async def tick(self) -> None:
        """One turn. The first does nothing: the daemon is starting, and the history may be long."""
        if self._first_turn:
            self._first_turn = False
            return
        await self.catch_up()

    async def catch_up(self) -> None:
        """Read what is new, judge what is open by it, and foretell."""
        news = await self.risks.read()
        self._hear(news)
        self._judge()
        now = self._clock.monotonic()
        if now >= self._next_at:
            self._next_at = now + FORETELL_EVERY_S
            await self._foretell_failures()

    def foretell(
        self,
        *,
        kind: PredictionKind,
        subject: Subject,
        metric: str,
        words: str,
        probability: float,
        from_at: float,
        until_at: float,
        bound: float | None = None,
        rising: bool = True,
        type_: IssueType | None = None,
    ) -> Prediction | None:
        """Write a prediction down; None when the same one is open already, or it is of a time that is over."""
        now = self._clock.wall()
        made = Prediction(
            id=0,
            made_at=now,
            kind=kind,
            subject=subject,
            metric=metric,
            words=words,
            probability=probability,
            from_at=max(now, from_at),
            until_at=until_at,
            bound=bound,
            rising=rising,
            type=type_,
        )
        if made.key in self._open or len(self._open) >= MOST_OPEN or made.from_at >= until_at:
            return None
        made = replace(made, id=self._records.next_id("prediction"))
        self._open[made.key] = made
        self._records.prediction(made)
        self._records.event("prediction_made", subject, f"{words}: {100.0 * probability:.0f} %")
        return made

    def from_forecast(self, forecast: Forecast) -> Prediction | None:
        """Write down that a series gets to its bound within the interval of its forecast. One without a latest time can
        never be wrong, and is not taken."""
        if forecast.latest_s is None:
            return None
        return self.foretell(
            kind=PredictionKind.EXHAUSTION,
            subject=forecast.subject,
            metric=forecast.metric,
            words=forecast.words,
            probability=FORECAST_SURE,
            from_at=forecast.at + forecast.soonest_s,
            until_at=forecast.at + forecast.latest_s,
            bound=forecast.bound,
            rising=forecast.value < forecast.bound,
        )

    def report(self) -> PredictionReport:
        """Everything that `autonomyctl predictions` shows."""
        right = [each for each in self._judged if each.verdict is Verdict.RIGHT]
        wrong = sum(each.verdict is Verdict.WRONG for each in self._judged)
        leads = sorted(each.came_at - each.made_at for each in right if each.came_at is not None)
        failures = self._foretold + self._missed
        return PredictionReport(
            at=self._clock.wall(),
            since=self._since,
            open=tuple(sorted(self._open.values(), key=lambda each: each.from_at)),
            judged=tuple(reversed(self._judged)),
            right=len(right),
            wrong=wrong,
            void=len(self._judged) - len(right) - wrong,
            foretold=self._foretold,
            missed=self._missed,
            precision=len(right) / (len(right) + wrong) if right or wrong else None,
            recall=self._foretold / failures if failures else None,
            lead_s=leads[len(leads) // 2] if leads else None,
        )

    # --- private -----------------------------------------------------------------------------------------------------

    def _hear(self, news: News) -> None:
        """Every failure was foretold or missed; what was foretold has come."""
        self._deeds.extend(news.deeds)
        self._blind.extend(news.blind)
        made: dict[Subject, list[Prediction]] = {}
        for each in (*self._judged, *self._open.values()) if news.problems else ():
            made.setdefault(each.subject, []).append(each)
        for problem in news.problems:
            if problem.at >= self._since:
                self._hear_of(problem, [each for each in made.get(problem.subject, ()) if foretold(each, problem)])

    def _hear_of(self, problem: Problem, known: list[Prediction]) -> None:
        self._foretold += bool(known)
        self._missed += not known
        for each in known:
            # a series is judged by its value: its bound need not be the one at which an issue opens
            if each.kind is PredictionKind.FAILURE and each.pending:
                self._settle(came(each, problem.at, self._clock.wall()))

    def _judge(self) -> None:
        now = self._clock.wall()
        about: dict[Subject, list[Deed]] = {}
        for deed in self._deeds if self._open else ():
            about.setdefault(deed.subject, []).append(deed)
        for each in list(self._open.values()):
            if each.bound is not None and self._reached(each, each.bound):
                judged = came(each, now, now)
            else:
                judged = settled(each, now, deeds=about.get(each.subject, ()), blind=self._blind)
            if not judged.pending:
                self._settle(judged)

    def _reached(self, prediction: Prediction, bound: float) -> bool:
        value = self._monitoring.metrics.last(prediction.subject, prediction.metric)
        return value is not None and (value >= bound if prediction.rising else value <= bound)

    def _settle(self, prediction: Prediction) -> None:
        self._open.pop(prediction.key, None)
        self._judged.append(prediction)
        self._records.prediction(prediction)
        log.info("prediction_judged", number=prediction.id, verdict=prediction.verdict.value, why=prediction.why)
        words = f"{prediction.words}: {prediction.verdict}, {prediction.why}"
        self._records.event("prediction_judged", prediction.subject, words)

    async def _foretell_failures(self) -> None:
        least = self._settings().risk.foretell_percent / 100.0
        report = await self.risks.report()
        likely = [row for row in report.rows if row.probability >= least and row.count >= LEAST_TIMES]
        kinds = [row for row in likely if row.key.of is RiskOf.PROBLEM and not row.present]
        told = {row.key.subject for row in kinds}
        # a component on its own only where no kind of its problems is likely enough by itself
        whole = [row for row in likely if row.key.of is RiskOf.COMPONENT and not row.present]
        for row in (*kinds, *(row for row in whole if row.key.subject not in told)):
            self._foretell_failure(row)

    def _foretell_failure(self, row: RiskRow) -> None:
        now = self._clock.wall()
        kind, _, metric = row.key.name.partition(" ")
        what = f"{kind.replace('_', ' ')} ({metric})" if kind else "a problem"
        way = "the times between" if row.used is RiskWay.GAPS else f"{row.a_day:.1f} a day lately"
        self.foretell(
            kind=PredictionKind.FAILURE,
            subject=row.key.subject,
            metric=metric,
            words=f"{what} comes again within 24 h: it came {counted(row.count, 'time')}, last "
            f"{duration(now - row.last_at)} ago, by {way}",
            probability=row.probability,
            from_at=now,
            until_at=now + DAY_S,
            type_=IssueType(kind) if kind else None,
        )


def make_predictions(
    *,
    clock: Clock,
    settings: Callable[[], Settings],
    records: Records,
    monitoring: SelfMonitoringSystem,
    log_errors: LogErrorsNow = tuple,
) -> PredictionBook:
    """The book with the watch that it rests on; `log_errors` gives what the log checks see now."""
    risks = RiskWatch(clock=clock, settings=settings, records=records, monitoring=monitoring, log_errors=log_errors)
    return PredictionBook(clock=clock, settings=settings, records=records, monitoring=monitoring, risks=risks)
