"""SelfMonitoringSystem: looks, remembers, judges. Usable alone: `await SelfMonitoringSystem().collect_metrics()`."""

from collections.abc import Callable, Collection, Mapping

from autonomyd.aio.clock import Clock, SystemClock
from autonomyd.analyze.detectors.threshold import ThresholdRule
from autonomyd.analyze.health import all_health
from autonomyd.analyze.issuebook import IssueBook, Listener
from autonomyd.analyze.rules import ThresholdBook
from autonomyd.analyze.trend import Slope, direction, slope
from autonomyd.engine.judges import LimitJudge, MetricJudges, folder_subject, rules_of
from autonomyd.host.machine import HostCollector
from autonomyd.model.health import HealthStatus, SubjectHealth, Trend, worst
from autonomyd.model.reading import Reading, ReadingState
from autonomyd.model.service import Intent, ServiceState
from autonomyd.model.status import HealthReport
from autonomyd.model.subject import HOST, Subject, service_of
from autonomyd.monitor.probe import Probe, QuickProbe
from autonomyd.monitor.probes.folder import FolderProbe
from autonomyd.monitor.probes.host import HostProbe
from autonomyd.monitor.probes.mounts import MountsProbe
from autonomyd.monitor.ring import MetricsRing, RingReader
from autonomyd.monitor.sampler import Sampler, ScheduledProbe
from autonomyd.settings.root import Settings
from autonomyd.settings.service import Limits

APPLICATION = Subject("application")
HOST_PROBE = "host"
MOUNTS_PROBE = "mounts"
MOUNTS_EVERY_S = 60.0
SECOND_LOOK_S = 1.0
DISK = "disk:"
DISK_METRIC = "disk.used_percent"
TREND_METRICS = ("cpu.percent", "memory.percent", "swap.percent")
FOLDER_TIMEOUT_S = 30.0

ServiceStates = Callable[[], Mapping[str, tuple[ServiceState, Intent]]]


class SelfMonitoringSystem:
    """`thresholds` maps names to levels and may be changed at any time; `metrics` is the read-only ring buffer,
    `pushed` names the series in it that come from the embedding program."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        clock: Clock | None = None,
        next_issue_id: Callable[[], int] | None = None,
        on_issue: Listener = lambda issue, transition: None,
        service_states: ServiceStates = dict,
    ) -> None:
        self.settings = settings or Settings()
        self.clock: Clock = clock or SystemClock()
        self._ids = iter(range(1, 2**62))
        self.book = IssueBook(next_id=next_issue_id or (lambda: next(self._ids)), listen=on_issue)
        self.thresholds = ThresholdBook(rules_of(self.settings.thresholds), self._threshold_changed)
        self._ring = MetricsRing(self.settings.monitoring.history, dropped=self._dropped)
        self.metrics: RingReader = self._ring.reader
        self._judges = MetricJudges(clock=self.clock, book=self.book, thresholds=self.thresholds)
        self.sampler = Sampler(
            clock=self.clock, ring=self._ring, on_reading=self._read, jitter=self.settings.monitoring.jitter
        )
        self._collector = HostCollector(self.clock)
        self._host = HostProbe(self._collector)
        self._restrict()
        self._listeners: dict[str, Callable[[Reading], None]] = {}
        self._pushed_units: dict[str, str] = {}
        self.pushed: set[tuple[Subject, str]] = set()
        self._folders: set[str] = set()
        self._service_states = service_states
        self.watch(
            HOST_PROBE,
            HOST,
            self._host,
            kind="host",
            every_s=self.settings.intervals.monitoring_s,
            second_after_s=SECOND_LOOK_S,
        )
        self.watch(
            MOUNTS_PROBE,
            HOST,
            MountsProbe(self._collector),
            kind="mounts",
            every_s=max(MOUNTS_EVERY_S, self.settings.intervals.monitoring_s),
        )
        self._watch_folders()

    def watch(
        self,
        name: str,
        subject: Subject,
        probe: Probe | QuickProbe,
        *,
        kind: str,
        every_s: float,
        timeout_s: float | None = None,
        second_after_s: float | None = None,
        hedge_s: float | None = None,
        on_reading: Callable[[Reading], None] | None = None,
    ) -> ScheduledProbe:
        """Put a probe on the timetable under `name`. `on_reading` hears its readings."""
        entry = ScheduledProbe(
            name=name,
            kind=kind,
            subject=subject,
            probe=probe,
            every_s=every_s,
            timeout_s=timeout_s or self.settings.monitoring.timeout_s,
            second_after_s=second_after_s,
            hedge_s=hedge_s,
        )
        if on_reading is not None:
            self._listeners[name] = on_reading
        self.sampler.add(entry)
        return entry

    def unwatch(self, name: str) -> None:
        self._listeners.pop(name, None)
        self.sampler.remove(name)

    def push(self, metric: str, value: float, *, unit: str = "", subject: str = APPLICATION) -> None:
        """Take a value of the embedding program in; a threshold of the metric's name judges it at once."""
        if unit:
            self._pushed_units[metric] = unit
        of = Subject(subject)
        self.pushed.add((of, metric))
        at = self.clock.monotonic()
        self._ring.append(of, f"pushed:{metric}", at, {metric: float(value)}, self._pushed_units)
        self._judges.observe(of, at, {metric: float(value)}, self._pushed_units)

    def probe(self, name: str) -> Probe | QuickProbe | None:
        """The probe of that name on the timetable; None when there is none (any more)."""
        entry = self.sampler.probes.get(name)
        return None if entry is None else entry.probe

    async def collect_metrics(self) -> HealthReport:
        """Look at everything now and wait for the answers. Rates (CPU, traffic) need two looks."""
        await self.sampler.look_at_all()
        return self.report()

    async def tick(self) -> float:
        """One turn of the monitoring loop: begin what is due; returns the seconds until the next is."""
        return self.sampler.run_due()

    async def close(self) -> None:
        """End the looks under way and let go of the machine's files; a later look opens them again."""
        await self.sampler.close()
        self._collector.close()

    def reload(self, settings: Settings) -> None:
        """Take over intervals, thresholds and folders of a new configuration."""
        self.settings = settings
        self.thresholds.replace_all(rules_of(settings.thresholds))
        self.sampler.set_interval(HOST_PROBE, settings.intervals.monitoring_s)
        self._restrict()
        self._watch_folders()

    def report(self) -> HealthReport:
        """Health, trend and newest values, from what is known now."""
        issues = self.book.open_issues()
        subjects = all_health(issues, self._service_states(), host_known=bool(self.metrics.latest(HOST)))
        return HealthReport(
            status=self._overall(subjects),
            trend=self._trend(),
            subjects=subjects,
            metrics=self._host_metrics(),
            unknown=self._host.unknown,
            issues=issues,
        )

    def slope_of(self, subject: Subject, metric: str) -> Slope | None:
        """The line through a series over the trend window."""
        view = self.metrics.view(subject, metric)
        if view is None:
            return None
        return slope(view.known(), since=self.clock.monotonic() - self.settings.monitoring.trend_window_s)

    def full_disks(self) -> tuple[str, ...]:
        """The mount points of the disks that an open issue is about."""
        issues = self.book.open_issues()
        return tuple(each.subject.removeprefix(DISK) for each in issues if each.metric == DISK_METRIC)

    def rule_of(self, subject: Subject, metric: str) -> ThresholdRule | None:
        """The rule that judges this series; None when nothing does."""
        return self._judges.rule_of(subject, metric)

    def limit_judge(self, subject: Subject, limits: Limits) -> LimitJudge:
        return LimitJudge(clock=self.clock, book=self.book, subject=subject, limits=limits)

    def _read(self, reading: Reading) -> None:
        listener = self._listeners.get(reading.probe)
        if listener is not None:
            listener(reading)
        elif reading.state is not ReadingState.UNKNOWN:
            entry = self.sampler.probes.get(reading.probe)
            self._judges.observe(reading.subject, reading.at, reading.values, entry.units if entry else {})

    def _dropped(self, series: Collection[tuple[Subject, str]]) -> None:
        """These had to make room in the ring; one that comes again begins anew."""
        self._judges.let_go(series)
        for subject, metric in self.pushed.intersection(series):
            self.pushed.discard((subject, metric))
            self._pushed_units.pop(metric, None)

    def _threshold_changed(self, name: str) -> None:
        self._judges.forget(name)

    def _restrict(self) -> None:
        wanted = self.settings.monitoring
        self._collector.restrict(ignore_disks=wanted.ignore_disks, network=wanted.network)

    def _watch_folders(self) -> None:
        cleanups = self.settings.cleanup
        self._judges.watch_folders(cleanups)
        wanted = {f"folder:{each.root}": each for each in cleanups if each.quota_mb is not None}
        for name in self._folders - wanted.keys():
            self.unwatch(name)
        for name, each in wanted.items():
            assert each.quota_mb is not None
            self.watch(
                name,
                folder_subject(each.root),
                FolderProbe(each.root, each.quota_mb),
                kind="folder",
                every_s=self.settings.intervals.monitoring_s,
                timeout_s=FOLDER_TIMEOUT_S,
            )
        self._folders = set(wanted)

    def _overall(self, subjects: tuple[SubjectHealth, ...]) -> HealthStatus:
        found = worst(each.status for each in subjects)
        blind = any(each.status is HealthStatus.UNKNOWN and service_of(each.subject) for each in subjects)
        return HealthStatus.UNKNOWN if found is HealthStatus.HEALTHY and blind else found

    def _trend(self) -> Trend:
        found = [direction(self.slope_of(HOST, metric), scale=100.0) for metric in TREND_METRICS]
        for trend in (Trend.WORSENING, Trend.STABLE, Trend.IMPROVING):
            if trend in found:
                return trend
        return Trend.UNKNOWN

    def _host_metrics(self) -> dict[str, float]:
        values = {**self.metrics.latest(HOST)}
        for subject, metric in self.metrics.names():
            if subject.startswith((DISK, "folder:")):
                value = self.metrics.last(subject, metric)
                if value is not None:
                    values[f"{subject}/{metric}"] = value
        return values
