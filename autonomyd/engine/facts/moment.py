"""`Situation.moment`: the machine and the hour in which the decision falls, and what is foretold of the issue."""

from collections.abc import Callable

from autonomyd.engine.insight.predictions import PredictionBook
from autonomyd.engine.insight.quiet import QuietHours
from autonomyd.engine.managed import ManagedService
from autonomyd.model.decision import MomentFacts
from autonomyd.model.forecast import Forecast
from autonomyd.model.issue import SOON, Issue
from autonomyd.model.subject import HOST, Subject
from autonomyd.monitor.ring import RingReader

ForecastOf = Callable[[Subject, str], Forecast | None]


class MomentReader:
    """Reads what others know already; it waits for nothing. `forecast_of` is what is foreseen of a series now."""

    field = "moment"

    def __init__(
        self, metrics: RingReader, *, predictions: PredictionBook, quiet: QuietHours, forecast_of: ForecastOf
    ) -> None:
        self._metrics = metrics
        self._predictions = predictions
        self._quiet = quiet
        self._forecast_of = forecast_of

    def wants(self, issue: Issue, service: ManagedService | None) -> bool:
        return True

    async def read(self, issue: Issue, service: ManagedService | None) -> MomentFacts:
        busy, why = self._quiet.busy()
        last = self._metrics.last
        return MomentFacts(
            memory_percent=last(HOST, "memory.percent"),
            cpu_percent=last(HOST, "cpu.percent"),
            memory_pressure_percent=last(HOST, "pressure.memory_some_percent"),
            busy=busy,
            busy_why=why,
            quiet_at=self._quiet.next_at() if issue.preventive and busy else None,
            left_s=self._left_s(issue) if issue.preventive else None,
            again=self._predictions.risks.again(issue),
        )

    def _left_s(self, issue: Issue) -> float | None:
        """The soonest credible time; a forecast that was not put to the test says nothing."""
        forecast = self._forecast_of(issue.subject, issue.metric.removesuffix(SOON))
        return forecast.soonest_s if forecast is not None and forecast.acts else None
