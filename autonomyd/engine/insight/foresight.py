"""Foresight: listens to the series that have an end, foretells when it is reached, and says so while there is time.

How loud, and what may be done because of it, is decided in `foretelling`. What was learned over days is kept over a
restart."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.analyze.forecast.series import Outlook, SeriesForecast
from autonomyd.engine.insight.capacities import Capacity, capacities
from autonomyd.engine.insight.certificates import certificates
from autonomyd.engine.insight.forecast_words import growth, over
from autonomyd.engine.insight.foretelling import RUSH_S, forecast, is_near, severity, standing_of
from autonomyd.engine.judges import LEAKS
from autonomyd.engine.managed import ManagedService
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.records import Records
from autonomyd.model.forecast import CapacityReport, Forecast, Standing
from autonomyd.model.health import Severity
from autonomyd.model.issue import SOON, Finding, Issue, IssueType
from autonomyd.model.subject import Subject, service_of
from autonomyd.model.words import DAY_S, counted
from autonomyd.monitor.ring import series_name
from autonomyd.settings.forecast import ForecastSettings
from autonomyd.settings.root import Settings

PACE_S = 5.0
EARLY_S = 1.0
"""Intervals are not exact: a sample that comes this much too early is taken all the same."""
MOST_SERIES = 500
HURRY_S = 300.0
"""What leads to its bound within this time is judged at each sample, and not only at the next turn."""
JUDGE_EVERY_S = 540.0
SPREAD, SPREAD_S = 10, 12.0
"""What is not about to happen is judged every ten minutes or so, not all series at the same turn."""
CLEAR_SHARE = 1.5
"""A warning ends when the bound is so many times as far away as it was to be told ..."""
CLEAR_TURNS = 3
"""... for so many turns on end."""
SAVE_EVERY_S = 3600.0
FORGOTTEN_S = 30 * DAY_S
"""What was kept of a series that is measured no more is let go."""
GONE_S = DAY_S
"""What nothing was measured of for so long, such as a disk that was taken away, is not foretold any more."""
KEY = "forecast:"

log = structlog.get_logger(__name__)

OnForecast = Callable[[Forecast], object]


@dataclass(slots=True, kw_only=True)
class _Watched:
    """A bounded series. `pid` is the process that it speaks of, `misses` counts the turns without a reason to warn;
    `rushed`: what was raised was too fast for any test."""

    capacity: Capacity
    series: SeriesForecast
    value: float = math.nan
    due: float = -math.inf
    pid: int | None = None
    raised: Severity | None = None
    misses: int = 0
    rushed: bool = False
    judge_at: float = -math.inf


@dataclass(slots=True, kw_only=True)
class _State:
    watched: dict[str, _Watched] = field(default_factory=dict)
    by_subject: dict[Subject, list[_Watched]] = field(default_factory=dict)
    kept: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    unwatched: tuple[str, ...] = ()


class Foresight:
    """`restore` before the first turn, `tick` once a minute, `close` before the store closes. `report` at any time."""

    def __init__(
        self,
        *,
        clock: Clock,
        settings: Callable[[], Settings],
        monitoring: SelfMonitoringSystem,
        services: Callable[[], Mapping[str, ManagedService]],
        records: Records,
        on_forecast: OnForecast = lambda forecast: None,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._monitoring = monitoring
        self._services = services
        self._records = records
        self._on_forecast = on_forecast
        self._state = _State()
        self._ahead_s = clock.wall() - clock.monotonic()
        self._saved_at = clock.monotonic()
        self._unsubscribe = monitoring.metrics.subscribe(self._hear)

    async def restore(self) -> None:
        """Take back what earlier runs had learned. A wall clock that was set back since goes on from what was kept."""
        kept = await self._records.read(lambda: self._records.states.items(KEY), {})
        now = self._clock.wall()
        for key, value in kept.items():
            at = value.get("at") if isinstance(value, dict) else None
            if not isinstance(at, int | float) or now - at > FORGOTTEN_S:
                self._records.forget(key)
                continue
            self._state.kept[key.removeprefix(KEY)] = value
            now = max(now, at) if at - now < FORGOTTEN_S else now
        self._ahead_s = now - self._clock.monotonic()

    async def tick(self) -> None:
        """One turn: what is measured now is watched, what is near is told."""
        if not self._settings().forecast.enabled:
            if self._state.watched:
                self._give_up(tuple(self._state.watched), "nothing is foretold any more: [forecast] enabled = false")
            return
        self._watch()
        now = self._clock.monotonic()
        for number, each in enumerate(self._state.watched.values()):
            each.series.turn()
            if each.raised is not None or now >= each.judge_at:
                self._judge(each)
                each.judge_at = now + JUDGE_EVERY_S + (number % SPREAD) * SPREAD_S
        self._clear_orphans()
        if self._clock.monotonic() - self._saved_at >= SAVE_EVERY_S:
            self._save()

    async def close(self) -> None:
        """Keep what was learned."""
        self._unsubscribe()
        self._save()

    def report(self) -> CapacityReport:
        """What is known now, soonest first."""
        forecasts: list[Forecast] = []
        standing: list[Standing] = []
        for each in self._state.watched.values():
            if math.isnan(each.value):
                continue
            seen = each.series.outlook(each.capacity.bound)
            found = self._forecast(each, seen)
            if found is not None:
                forecasts.append(found)
            else:
                limits = self._settings().forecast
                span_s = max(rung.span_s for rung in each.series.ladder.rungs)
                standing.append(standing_of(each.capacity, seen, limits, value=each.value, span_s=span_s))
        exact, far = certificates(self._monitoring.metrics, self._settings(), clock=self._clock)
        return CapacityReport(
            forecasts=tuple(sorted((*forecasts, *exact), key=attrgetter("left_s"))),
            standing=(*sorted(standing, key=lambda each: (-each.value / each.bound, each.subject, each.metric)), *far),
            unwatched=self._state.unwatched,
            skipped=sum(each.series.ladder.skipped for each in self._state.watched.values()),
        )

    def forecast_of(self, subject: Subject, metric: str) -> Forecast | None:
        """When the bound of this series is reached; None when nothing leads there, or nothing is known."""
        each = self._state.watched.get(series_name(subject, metric))
        if each is None or math.isnan(each.value):
            return None
        return self._forecast(each, each.series.outlook(each.capacity.bound))

    def only_told(self, issue: Issue) -> bool:
        """Whether it rests on a rush that was never put to the test: nothing may be done because of it."""
        each = self._state.watched.get(series_name(issue.subject, issue.metric.removesuffix(SOON)))
        return each is not None and each.rushed and issue.key == self._key(each.capacity)

    # --- samples -------------------------------------------------------------------------------------------------

    def _hear(self, subject: Subject, at: float, values: Mapping[str, float]) -> None:
        watched = self._state.by_subject.get(subject)
        if watched is None:
            return
        for each in watched:
            capacity = each.capacity
            value = values.get(capacity.metric)
            if value is None or at < each.due:
                continue
            each.due = at + PACE_S - EARLY_S
            if each.series.add(at + self._ahead_s, value):
                each.value = value
                if each.series.hurries(capacity.bound, HURRY_S) or each.series.dash.rush(capacity.bound) is not None:
                    self._judge(each)

    # --- which series --------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        state = self._state
        since = self._clock.monotonic() - GONE_S
        found, unwatched = capacities(self._monitoring.metrics, self._settings(), since=since)
        wanted = {series_name(each.subject, each.metric): each for each in found[:MOST_SERIES]}
        if len(found) > MOST_SERIES:
            unwatched += (f"{counted(len(found) - MOST_SERIES, 'series', 'series')} beyond the {MOST_SERIES} watched",)
        state.unwatched = unwatched
        self._give_up(tuple(state.watched.keys() - wanted.keys()), "it is no longer measured, or has no bound any more")
        for name, capacity in wanted.items():
            each = state.watched.get(name) or self._begin(name, capacity)
            each.capacity = capacity
            if capacity.process:
                self._renew(each)
        ordered = sorted(state.watched.values(), key=lambda each: each.capacity.subject)
        state.by_subject = {
            subject: list(group) for subject, group in groupby(ordered, key=lambda each: each.capacity.subject)
        }

    def _begin(self, name: str, capacity: Capacity) -> _Watched:
        each = _Watched(capacity=capacity, series=SeriesForecast())
        kept = self._state.kept.pop(name, None)
        if kept is not None:
            try:
                each.series.restore(kept)
                each.pid = kept.get("pid")
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                log.warning("forecast_unreadable", series=name, reason=f"{type(error).__name__}: {error}")
                each = _Watched(capacity=capacity, series=SeriesForecast())
        open_one = self._monitoring.book.find(self._key(capacity))
        each.raised = None if open_one is None else open_one.severity
        self._state.watched[name] = each
        return each

    def _renew(self, each: _Watched) -> None:
        """A new process has memory and descriptors of its own."""
        service = self._services().get(service_of(each.capacity.subject) or "")
        pid = None if service is None else service.run.pid
        if pid is None or pid == each.pid:
            return
        if each.pid is not None:
            each.series.clear()
            self._clear(each, "another process runs now")
        each.pid = pid

    def _give_up(self, names: tuple[str, ...], why: str) -> None:
        for name in names:
            each = self._state.watched.pop(name)
            self._state.kept[name] = self._plain(each)
            self._clear(each, why)
        if not self._state.watched:
            self._state.by_subject = {}

    # --- judgement -----------------------------------------------------------------------------------------------

    def _judge(self, each: _Watched) -> None:
        if math.isnan(each.value):
            return
        limits = self._settings().forecast
        seen = each.series.outlook(each.capacity.bound)
        found = self._forecast(each, seen)
        severity = None if seen is None or found is None else self._severity(each, seen, found, limits)
        if found is not None and severity is not None:
            each.misses = 0
            each.raised = severity
            each.rushed = seen is not None and seen.rushes
            self._report(each, found, severity)
        elif each.raised is not None:
            told_s = RUSH_S if each.rushed else limits.warn_days * DAY_S
            near = found is not None and found.soonest_s <= CLEAR_SHARE * told_s
            each.misses = 0 if near else each.misses + 1
            if each.misses >= CLEAR_TURNS:
                self._clear(each, over(found))

    def _severity(self, each: _Watched, seen: Outlook, found: Forecast, limits: ForecastSettings) -> Severity | None:
        """How loud it is to be told; None when it is not. A warning stays one while it is near."""
        loud = severity(seen, found, warn_s=limits.warn_days * DAY_S)
        if each.raised is None or loud is Severity.WARNING:
            return loud
        if each.rushed and not seen.rushes:
            return None  # it rushes no more: what goes on at leisure is told anew, and as that
        return each.raised if is_near(found, limits.warn_days * DAY_S) else None

    def _forecast(self, each: _Watched, seen: Outlook | None) -> Forecast | None:
        limits = self._settings().forecast
        if seen is None or seen.left_s > limits.horizon_days * DAY_S:
            return None
        rise = growth(self._monitoring.metrics, each.capacity, each.value, seen)
        return forecast(each.capacity, seen, limits, at=self._clock.wall(), value=each.value, growth=rise)

    # --- issues --------------------------------------------------------------------------------------------------

    def _report(self, each: _Watched, found: Forecast, severity: Severity) -> None:
        capacity = each.capacity
        finding = Finding(
            type=IssueType.RESOURCE_EXHAUSTION,
            subject=capacity.subject,
            metric=capacity.metric + capacity.suffix,
            severity=severity,
            summary=found.words,
            evidence=() if found.acts else (f"nothing is done because of it: {found.why_not}",),
            value=found.value,
            threshold=found.bound,
        )
        _, new = self._monitoring.book.report(finding, wall_now=self._clock.wall())
        if new:
            self._on_forecast(found)

    def _clear(self, each: _Watched, cause: str) -> None:
        each.raised = None
        each.rushed = False
        each.misses = 0
        self._monitoring.book.clear(self._key(each.capacity), cause=cause, wall_now=self._clock.wall())

    def _clear_orphans(self) -> None:
        """Issues of an earlier run whose series is measured no more."""
        known = {self._key(each.capacity) for each in self._state.watched.values()}
        for issue in self._monitoring.book.open_issues():
            if foretold(issue) and issue.key not in known and issue.subject not in self._state.by_subject:
                cause = "it is no longer measured"
                self._monitoring.book.clear(issue.key, cause=cause, wall_now=self._clock.wall())

    def _key(self, capacity: Capacity) -> tuple[IssueType, Subject, str]:
        return (IssueType.RESOURCE_EXHAUSTION, capacity.subject, capacity.metric + capacity.suffix)

    # --- what is kept --------------------------------------------------------------------------------------------

    def _save(self) -> None:
        self._saved_at = self._clock.monotonic()
        for name, each in self._state.watched.items():
            if each.series.worth_keeping:
                self._records.remember(KEY + name, self._plain(each))

    def _plain(self, each: _Watched) -> Mapping[str, Any]:
        return {**each.series.plain(), "pid": each.pid}


def foretold(issue: Issue) -> bool:
    """Whether it was raised here: what a service's limit has to say of the next minutes is another judge's."""
    by_limit = issue.metric.removesuffix(SOON) in LEAKS and service_of(issue.subject) is not None
    return issue.type is IssueType.RESOURCE_EXHAUSTION and issue.preventive and not by_limit
