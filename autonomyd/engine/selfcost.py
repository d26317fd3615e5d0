"""What the daemon itself costs: this process as a whole, and each of its probes with how calm its subject is."""

import math
from collections import deque
from collections.abc import Callable
from statistics import fmean, pstdev

from autonomyd.aio.clock import Clock
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.host.process import ProcessFacts
from autonomyd.model.reading import ReadingState
from autonomyd.model.subject import Subject, service_of
from autonomyd.monitor.sampler import ScheduledProbe
from autonomyd.optimize.candidates import ProbeCost
from autonomyd.settings.service import checks_by_name

MB = 1048576
SHORTEST_SPAN_S = 5.0
"""CPU over a shorter span says nothing: the kernel counts in steps of 10 ms."""
ISSUES_KEPT = 1000
LATENCY = "latency_ms"
NEWEST = 60
LEAST_KNOWN = 8
LEAST_LOOKS = 3


class OwnCost:
    """This process alone: services that it started are not its cost. `percent` is of one core over the span between
    the last two marks, None before it is known; `memory_mb` is resident."""

    def __init__(self, clock: Clock, own_process: Callable[[], ProcessFacts | None]) -> None:
        self._clock = clock
        self._own_process = own_process
        self._began = clock.monotonic()
        self._at, self._facts = self._began, own_process()
        self.percent: float | None = None

    def mark(self) -> None:
        """A turn of the loop: the span since the last one is measured, the next one begins."""
        now = self._clock.monotonic()
        percent = self._since(now, facts := self._own_process())
        if percent is not None:
            self.percent = percent
        elif now - self._began >= SHORTEST_SPAN_S and facts is not None:
            return
        self._at, self._facts = now, facts  # the first turn comes at once: what the start cost does not come again

    def percent_now(self) -> float | None:
        """As `percent`; before the first span has ended, of what has passed of it."""
        return self._since(self._clock.monotonic(), self._own_process()) if self.percent is None else self.percent

    @property
    def memory_mb(self) -> float | None:
        facts = self._own_process()
        return None if facts is None else facts.rss_bytes / MB

    def _since(self, now: float, facts: ProcessFacts | None) -> float | None:
        span_s = now - self._at
        if facts is None or self._facts is None or span_s < SHORTEST_SPAN_S:
            return None
        return 100.0 * max(0.0, facts.cpu_s - self._facts.cpu_s) / span_s


class ProbeCosts:
    """Reads the timetable of the sampler. Calm is counted from the first reading that sees no trouble."""

    def __init__(self, monitoring: SelfMonitoringSystem) -> None:
        self._monitoring = monitoring
        self._clock = monitoring.clock
        self._calm_from: dict[str, float] = {}
        self._troubled_from: dict[str, float] = {}
        self._seen: dict[str, tuple[int, float]] = {}
        self._issues: deque[tuple[float, Subject]] = deque(maxlen=ISSUES_KEPT)

    def on_issue(self, subject: Subject) -> tuple[ScheduledProbe, ...]:
        """An issue was opened: the calm begins anew. Returns the probes that look at it."""
        self._issues.append((self._clock.monotonic(), subject))
        found = tuple(entry for entry in self._monitoring.sampler.probes.values() if covers(entry, subject))
        for entry in found:
            self._calm_from.pop(entry.name, None)
        return found

    def issues_since(self, entry: ScheduledProbe, since: float) -> int:
        """Issues opened after `since` (monotonic) on what the probe looks at."""
        return sum(at > since and covers(entry, subject) for at, subject in self._issues)

    def read(self) -> tuple[ProbeCost, ...]:
        """What every probe has cost since its start."""
        troubled = {issue.subject for issue in self._monitoring.book.open_issues()}
        entries = self._monitoring.sampler.probes
        for name in [*self._calm_from.keys() - entries.keys(), *self._troubled_from.keys() - entries.keys()]:
            self._calm_from.pop(name, None)
            self._troubled_from.pop(name, None)
        return tuple(self._of(entry, troubled) for entry in entries.values())

    def mark(self) -> None:
        """A turn of the loop has ended: what is recent begins here."""
        entries = self._monitoring.sampler.probes
        self._seen = {name: (entry.looks, entry.spent_s) for name, entry in entries.items()}

    def configured(self, entry: ScheduledProbe) -> tuple[float, bool]:
        """The interval by the configuration, and whether a person (or the program) chose it for this very probe."""
        settings = self._monitoring.settings
        default_s = settings.intervals.monitoring_s
        if entry.kind in ("host", "folder"):
            return default_s, False
        name = service_of(entry.subject) or ""
        service = settings.services.get(name)
        if service is None:
            return entry.every_s, True
        if entry.kind == "process":
            own = service.check_every_s or min((each.every_s for each in service.checks if each.every_s), default=None)
        else:
            check = checks_by_name(service.checks).get(entry.name.removeprefix(f"{name}."))
            own = entry.every_s if check is None else check.every_s
        return (default_s, False) if own is None else (own, True)

    def _of(self, entry: ScheduledProbe, troubled: set[Subject]) -> ProbeCost:
        now = self._clock.monotonic()
        state = ReadingState.OK if entry.last is None else entry.last.state
        bad = state is ReadingState.FAILED or any(covers(entry, subject) for subject in troubled)
        calm = not bad and state is ReadingState.OK
        if calm:
            self._troubled_from.pop(entry.name, None)
        else:
            self._calm_from.pop(entry.name, None)
        configured_s, own = self.configured(entry)
        looks, spent_s = self._seen.get(entry.name, (0, 0.0))
        looks, spent_s = entry.looks - looks, entry.spent_s - spent_s
        return ProbeCost(
            name=entry.name,
            kind=entry.kind,
            configured_s=configured_s,
            every_s=entry.every_s,
            own_interval=own,
            looks=entry.looks,
            spent_s=entry.spent_s,
            longest_s=entry.longest_s,
            timeout_s=entry.timeout_s,
            waits=entry.quick is None,
            unknowns=entry.unknowns,
            failures=int(state is ReadingState.FAILED),
            calm=calm,
            calm_for_s=now - self._calm_from.setdefault(entry.name, now) if calm else 0.0,
            variation=self._variation(entry),
            recent_s=spent_s / looks if looks >= LEAST_LOOKS else None,
            # one that can't tell is no more use when it looks more often
            troubled_for_s=now - self._troubled_from.setdefault(entry.name, now) if bad else math.inf,
        )

    def _variation(self, entry: ScheduledProbe) -> float | None:
        """How unsteady its answer times are: standard deviation by mean."""
        view = self._monitoring.metrics.view(entry.subject, LATENCY) if LATENCY in entry.units else None
        known = [value for _, value in view.known()][-NEWEST:] if view is not None else []
        if len(known) < LEAST_KNOWN or (mean := fmean(known)) <= 0.0:
            return None
        return pstdev(known, mean) / mean


def covers(entry: ScheduledProbe, subject: Subject) -> bool:
    """Whether the probe looks at `subject`; the host's looks at the disks too."""
    return entry.subject == subject or (entry.kind == "host" and subject.startswith("disk:"))
