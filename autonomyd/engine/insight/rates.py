"""Judges how fast series move: those that `[detectors]` rates names."""

from collections.abc import Callable, Mapping

from autonomyd.aio.clock import Clock
from autonomyd.analyze.detectors.rate_of_change import RateDetector
from autonomyd.analyze.issuebook import IssueBook
from autonomyd.analyze.verdict import Verdict
from autonomyd.engine.insight.room import Room
from autonomyd.model.health import Severity
from autonomyd.model.issue import Finding, IssueType
from autonomyd.model.subject import Subject
from autonomyd.model.words import duration
from autonomyd.monitor.ring import RingReader, series_name
from autonomyd.settings.detectors import RateSettings
from autonomyd.settings.root import Settings

SUFFIX = ".rate"
"""What follows the name of a metric that moves too fast, whatever its level."""
MOST_SERIES = 1000


class RateWatch:
    """Listens to the ring; costs nothing where no rate is configured."""

    def __init__(self, *, clock: Clock, settings: Callable[[], Settings], book: IssueBook, metrics: RingReader) -> None:
        self._clock = clock
        self._settings = settings
        self._book = book
        self._detectors: dict[tuple[Subject, str], RateDetector] = {}
        self._metrics = metrics
        self._room = Room()
        self._end = metrics.subscribe(self.hear)

    async def close(self) -> None:
        """Listen no longer."""
        self._end()

    async def tick(self) -> None:
        """What is no longer watched is no longer a problem."""
        for issue in self._book.open_issues():
            if issue.type is IssueType.ANOMALY and issue.metric.endswith(SUFFIX):
                metric = issue.metric.removesuffix(SUFFIX)
                if rate_of(self._settings(), issue.subject, metric) is None:
                    self._detectors.pop((issue.subject, metric), None)
                    self._book.clear(issue.key, cause="this rate is no longer watched", wall_now=self._clock.wall())

    def hear(self, subject: Subject, at: float, values: Mapping[str, float]) -> None:
        """A new row of the ring; `at` is monotonic seconds."""
        settings = self._settings()
        if not settings.detectors.rates:
            return
        for metric, value in values.items():
            rate = rate_of(settings, subject, metric)
            if rate is not None:
                self._judge(subject, metric, rate, at=at, value=value)

    def _judge(self, subject: Subject, metric: str, rate: RateSettings, *, at: float, value: float) -> None:
        known = self._detectors.get((subject, metric))
        if known is None or (known.change, known.within_s) != (rate.change, rate.within_s):
            if known is None and not self._has_room(at):
                return
            known = self._detectors[subject, metric] = RateDetector(rate.change, within_s=rate.within_s)
        verdict = known.observe(at, value)
        key = (IssueType.ANOMALY, subject, f"{metric}{SUFFIX}")
        if verdict is Verdict.RAISED:
            view = self._metrics.view(subject, metric)
            unit = f" {view.unit}" if view is not None and view.unit else ""
            way, within = "rose" if known.moved > 0 else "fell", duration(rate.within_s)
            finding = Finding(
                type=key[0],
                subject=subject,
                metric=key[2],
                severity=Severity.WARNING,
                summary=f"{metric} of {subject} {way} by {abs(known.moved):.4g}{unit} within {within}",
                evidence=(f"fixed threshold {rate.change:+g}{unit} within {within}; now {value:.4g}{unit}",),
                value=known.moved,
                threshold=rate.change,
            )
            self._book.report(finding, wall_now=self._clock.wall())
        elif verdict is Verdict.CLEARED:
            self._book.clear(key, cause=f"{metric} no longer moves so fast", wall_now=self._clock.wall())

    def _has_room(self, at: float) -> bool:
        """Whether one more series can be judged; one that comes no more, such as a disk that was taken away, goes."""
        if len(self._detectors) < MOST_SERIES:
            return True
        leaver = self._room.leaver(at, ((each.last, key) for key, each in self._detectors.items()))
        if leaver is None:
            return False
        del self._detectors[leaver]
        key = (IssueType.ANOMALY, leaver[0], f"{leaver[1]}{SUFFIX}")
        self._book.clear(key, cause="nothing comes of it any more", wall_now=self._clock.wall())
        return True


def rate_of(settings: Settings, subject: Subject, metric: str) -> RateSettings | None:
    """The rate that is configured for a series: by its full name, else by its metric's."""
    rates = settings.detectors.rates
    return rates.get(series_name(subject, metric)) or rates.get(metric)
