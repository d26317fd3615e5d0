"""Judges silence: series that must keep coming and do not. Pushed metrics have a rhythm of their own to be judged by;
of what probes look at only what `[detectors]` absence names, and never while a probe of it says that it can't tell."""

from collections.abc import Callable, Mapping

from autonomyd.aio.clock import Clock
from autonomyd.analyze.detectors.absence import AbsenceDetector, Silence
from autonomyd.engine.managed import ManagedService
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.model.health import Severity
from autonomyd.model.issue import Finding, IssueType
from autonomyd.model.reading import ReadingState
from autonomyd.model.subject import HOST, Subject, service_of
from autonomyd.model.words import duration
from autonomyd.monitor.ring import series_name
from autonomyd.settings.root import Settings

SUFFIX = ".absent"
"""What follows the name of a metric that does not come."""
MOST_SERIES = 1000

Series = tuple[Subject, str]


class AbsenceWatch:
    """Listens to what is pushed and to the series that are named; `tick` judges the silence."""

    def __init__(
        self,
        *,
        clock: Clock,
        settings: Callable[[], Settings],
        monitoring: SelfMonitoringSystem,
        services: Callable[[], Mapping[str, ManagedService]],
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._monitoring = monitoring
        self._services = services
        self._detectors: dict[Series, AbsenceDetector] = {}
        self._missing: dict[str, AbsenceDetector] = {}
        self._end = monitoring.metrics.subscribe(self.hear)

    async def close(self) -> None:
        """Listen no longer."""
        self._end()

    def hear(self, subject: Subject, at: float, values: Mapping[str, float]) -> None:
        """A new row of the ring; `at` is monotonic seconds."""
        pushed = self._monitoring.pushed
        if not pushed and not self._settings().detectors.absence:
            return
        for metric in values:
            known = self._detectors.get((subject, metric))
            if known is None and ((subject, metric) in pushed or self._bound(subject, metric) is not None):
                known = self._begin(subject, metric, at)
            if known is not None:
                known.heard(at)

    async def tick(self) -> None:
        """Judge the silence of every series that is listened to."""
        now = self._clock.monotonic()
        services, blind = self._services(), self._blind()
        for (subject, metric), detector in list(self._detectors.items()):
            detector.after_s = self._bound(subject, metric)
            pushed = (subject, metric) in self._monitoring.pushed
            service = services.get(service_of(subject) or "")
            removed = service is None and service_of(subject) is not None
            if (detector.after_s is None or removed) and not pushed:
                del self._detectors[subject, metric]
                self._clear(subject, metric, "its coming is no longer watched")
            elif subject in blind or (service is not None and not service.has_process):
                detector.excused(now)
            else:
                self._tell(subject, metric, detector.silence(now))
        self._judge_missing(now)
        self._let_go()

    def _let_go(self) -> None:
        """Of an earlier run: how often the series came is not known any more."""
        for issue in self._monitoring.book.open_issues():
            metric = issue.metric.removesuffix(SUFFIX)
            ours = issue.type is IssueType.ANOMALY and metric != issue.metric
            if ours and (issue.subject, metric) not in self._detectors and metric not in self._missing:
                self._clear(issue.subject, metric, "it is no longer known how often it comes")

    def _judge_missing(self, now: float) -> None:
        """Series that are named and never came at all, since the start."""
        wanted = self._settings().detectors.absence
        known = {name for series in self._detectors for name in (series_name(*series), series[1])}
        for name in self._missing.keys() - (wanted.keys() - known):
            del self._missing[name]
            self._clear(HOST, name, "it comes")
        for name in wanted.keys() - known:
            detector = self._missing.setdefault(name, AbsenceDetector(wanted[name], at=now))
            detector.after_s = wanted[name]
            self._tell(HOST, name, detector.silence(now))

    def _begin(self, subject: Subject, metric: str, at: float) -> AbsenceDetector | None:
        if len(self._detectors) >= MOST_SERIES:
            return None
        made = AbsenceDetector(self._bound(subject, metric), at=at)
        self._detectors[subject, metric] = made
        return made

    def _bound(self, subject: Subject, metric: str) -> float | None:
        """The longest silence that is configured: for the full name, else for the metric's."""
        absence = self._settings().detectors.absence
        if not absence:
            return None
        own = absence.get(series_name(subject, metric))
        return absence.get(metric) if own is None else own

    def _blind(self) -> frozenset[Subject]:
        """The subjects of which a probe can't tell: their silence is no news."""
        probes = self._monitoring.sampler.probes.values()
        last = ((each.subject, each.last) for each in probes)
        return frozenset(
            subject for subject, reading in last if reading is not None and reading.state is ReadingState.UNKNOWN
        )

    def _tell(self, subject: Subject, metric: str, silence: Silence | None) -> None:
        if silence is None:
            self._clear(subject, metric, f"{metric} comes again")
            return
        spoke = (
            f"learned rhythm: it comes every {duration(silence.usual_s)}"
            if silence.learned
            else f"fixed threshold {duration(silence.bound_s)}"
        )
        finding = Finding(
            type=IssueType.ANOMALY,
            subject=subject,
            metric=f"{metric}{SUFFIX}",
            severity=Severity.NOTICE if silence.learned else Severity.WARNING,
            summary=f"{metric} of {subject} has not come for {duration(silence.for_s)}",
            evidence=(spoke,),
            value=silence.for_s,
            threshold=silence.bound_s,
        )
        self._monitoring.book.report(finding, wall_now=self._clock.wall())

    def _clear(self, subject: Subject, metric: str, cause: str) -> None:
        key = (IssueType.ANOMALY, subject, f"{metric}{SUFFIX}")
        self._monitoring.book.clear(key, cause=cause, wall_now=self._clock.wall())
