"""Joins services to monitoring: their checks and process probes on the timetable, their states to issues."""

import structlog

from autonomyd.aio.dependency import Dependencies
from autonomyd.analyze.detectors.streak import StreakDetector
from autonomyd.engine.availability import AvailabilityJudge
from autonomyd.engine.bounds import BoundJudge
from autonomyd.engine.judges import LimitJudge
from autonomyd.engine.log_sizes import LogSizes
from autonomyd.engine.managed import ManagedCheck, ManagedService
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.services import ServiceKeeper
from autonomyd.host.containers.engines import ContainerEngines
from autonomyd.model.health import Severity
from autonomyd.model.issue import Finding, Issue, IssueType
from autonomyd.model.reading import Reading, ReadingState
from autonomyd.model.service import Intent, RunState, ServiceState
from autonomyd.monitor.probe import LogDesk, Placed, Surroundings
from autonomyd.monitor.probes import check_probes
from autonomyd.monitor.probes.memory import EVERY_S as MEMORY_EVERY_S
from autonomyd.monitor.probes.memory import MemoryProbe
from autonomyd.monitor.probes.process import ProcessProbe
from autonomyd.settings.service import checks_by_name

log = structlog.get_logger(__name__)

FROZEN_S = 1.0
"""A process that is seen stopped by a signal for this long is frozen; a shorter stop is a hiccup."""
FROZEN_LOOK_S = 0.25
OWN_DEADLINE_S = 0.25
"""A check keeps its own deadline and can say what it waited for; the sampler's comes this much later."""
HURRY_S = 0.1
"""How often checks run while a service starts or a fix is verified."""
HURRY_COSTLY_S = 1.0
"""The same for checks that start a program or may read much."""
SUSPECT_SHARE = 8.0
"""After a first failure a check is repeated this many times as often, until there is enough to judge by."""
SUSPECT_LOOKS = 4
"""... and no longer than for this many times the failures that count."""
HEDGE_S = 0.25
"""A cheap look that is not back after this time gets a second one beside it."""

_DOWN = (IssueType.SERVICE_DOWN, "process")
_UNHEALTHY = (IssueType.SERVICE_UNHEALTHY, "checks")
_FALLBACK = (IssueType.PERFORMANCE_DEGRADATION, "fallback")


class ServiceWatch:
    """One per service: owns its probes, turns what they say into findings."""

    def __init__(
        self,
        service: ManagedService,
        monitoring: SelfMonitoringSystem,
        keeper: ServiceKeeper,
        dependencies: Dependencies,
        containers: ContainerEngines | None = None,
        logs: LogDesk | None = None,
    ) -> None:
        self._service = service
        self._monitoring = monitoring
        self._keeper = keeper
        self._limits: LimitJudge = monitoring.limit_judge(service.subject, service.settings.limits)
        self._bounds: dict[str, BoundJudge] = {}
        self._placed: list[Placed] = []
        self._dependencies = dependencies
        self._containers = containers
        self._logs_desk = logs
        self._probes: list[str] = []
        self._verifying = False
        self._availability = AvailabilityJudge(
            service, lambda: monitoring.settings, report=self._report, clear=self._clear
        )
        self._add_checks()
        self._add_process()
        self._add_logs()

    def unwatch(self) -> None:
        """Take the probes off the timetable; what is known of the service stays known."""
        for name in self._probes:
            self._monitoring.unwatch(name)
        for probe in self._placed:
            probe.close()
        self._placed.clear()

    def close(self) -> None:
        """The service is no longer configured: its issues end with it."""
        self.unwatch()
        for issue in self._monitoring.book.of_subject(self._service.subject):
            self._clear((issue.type, issue.metric), "the service is no longer configured")

    def reinterval(self) -> None:
        """The default interval changed: what has none of its own follows."""
        default_s = self._monitoring.settings.intervals.monitoring_s
        for check in self._service.checks.values():
            if check.settings.every_s is None:
                self._set_interval(check.probe, default_s)
        self._set_interval(f"{self._service.name}.process", self._process_every_s())
        if self._logs in self._probes:
            self._set_interval(self._logs, default_s)

    def exceeded(self) -> tuple[str, ...]:
        return self._limits.exceeded()

    def verifying(self, on: bool) -> None:
        """A fix waits for new samples: look often until it has them."""
        self._verifying = on
        self._pace()

    def state_changed(self, before: ServiceState) -> None:
        """Called at every change of the service's state."""
        service = self._service
        self._pace()
        self._availability.observe(self._monitoring.clock.monotonic())
        if service.state is ServiceState.STARTING and before is not ServiceState.STARTING:
            self._limits.reset()
            for judge in self._bounds.values():
                judge.reset()
        if service.state is ServiceState.DOWN:
            self._report_down()
        elif service.state is ServiceState.FAILING:
            self._report_unhealthy()
            if not service.holders:
                self._clear(_DOWN, "it runs again; what still fails is an issue of its own")
        elif service.state is ServiceState.UP:
            self._clear(_DOWN, "it runs again")
            self._clear_when_well()
            self._tell_fallback()
        elif service.state is ServiceState.STOPPED or service.intent is Intent.STOPPED:
            for issue in self._monitoring.book.of_subject(service.subject):
                self._clear((issue.type, issue.metric), "it was stopped on purpose")

    def tell_again(self) -> None:
        """A fix has ended: what was seen meanwhile neither opened nor resolved an issue, so it is said once more."""
        self.state_changed(self._service.state)

    def _pace(self) -> None:
        """Look often while the service starts or a fix of it is verified, else as configured."""
        hurried = self._verifying or self._service.state is ServiceState.STARTING
        for check in self._service.checks.values():
            cheap = check.cheap
            pace_s = None
            if hurried:
                pace_s = HURRY_S if cheap else HURRY_COSTLY_S
            elif cheap and 0 < check.streak.failures < SUSPECT_LOOKS * check.settings.failures:
                pace_s = max(HURRY_S, self._every_s(check) / SUSPECT_SHARE)
            self._monitoring.sampler.hurry(check.probe, pace_s)
        self._monitoring.sampler.hurry(self._logs, HURRY_COSTLY_S if self._verifying else None)

    def _every_s(self, check: ManagedCheck) -> float:
        return check.settings.every_s or self._monitoring.settings.intervals.monitoring_s

    def _suspected(self) -> None:
        """A check failed: what its failing will be judged by is looked at anew, beginning with what it depends on."""
        sampler = self._monitoring.sampler
        sampler.look_soon(f"{self._service.name}.process")
        for check in self._service.checks.values():
            if not check.asks and check.streak.failures == 0:
                sampler.look_soon(check.probe)  # a full disk or an error in the log explains more than silence does
        for name in self._service.settings.depends_on:
            parent = self._keeper.services.get(name)
            if parent is not None:
                for check in parent.checks.values():
                    sampler.look_soon(check.probe)
                sampler.look_soon(f"{name}.process")

    def _add_checks(self) -> None:
        service = self._service
        every_default = self._monitoring.settings.intervals.monitoring_s
        for name, settings in checks_by_name(service.settings.checks).items():
            probe = f"{service.name}.{name}"
            kind = check_probes()[settings.type]
            every_s = settings.every_s or every_default
            made = kind(settings, self._monitoring.clock)
            self._place(made)
            span_s = 0.0 if getattr(made, "timed", False) else (settings.failures - 1) * every_s
            check = ManagedCheck(
                name=name,
                probe=probe,
                settings=settings,
                streak=StreakDetector(settings.failures, span_s=span_s),
                asks=getattr(made, "asks", False),
                about_service=getattr(made, "about_service", True),
                dependency=getattr(made, "dependency", False),
                cheap=getattr(made, "cheap", False),
                recalls=getattr(made, "recalls", False),
                begin=getattr(made, "begin", _nothing),
            )
            service.checks[name] = check
            self._bounds[name] = BoundJudge(
                service, check, bounds=getattr(kind, "bounds", ()), report=self._report, clear=self._clear
            )
            self._monitoring.watch(
                probe,
                service.subject,
                made,
                kind=settings.type,
                every_s=every_s,
                timeout_s=settings.timeout_s + OWN_DEADLINE_S,
                hedge_s=HEDGE_S if getattr(made, "hedged", False) else None,
                on_reading=lambda reading, check=check: self._checked(check, reading),  # type: ignore[misc]
            )
            self._probes.append(probe)

    def _place(self, probe: object) -> None:
        if isinstance(probe, Placed):
            service = self._service
            around = Surroundings(
                service=service.name,
                settings=service.settings,
                dependencies=self._dependencies,
                containers=self._containers,
                logs=self._logs_desk,
            )
            probe.place(around)
            self._placed.append(probe)

    def _add_process(self) -> None:
        service = self._service
        name = f"{service.name}.process"
        self._process = ProcessProbe(lambda: service.run.pid if service.has_process else None, self._monitoring.clock)
        self._monitoring.watch(
            name,
            service.subject,
            self._process,
            kind="process",
            every_s=self._process_every_s(),
            on_reading=self._process_read,
        )
        self._probes.append(name)
        memory = f"{service.name}.memory"
        self._monitoring.watch(
            memory, service.subject, MemoryProbe(self._process.pids), kind="memory", every_s=MEMORY_EVERY_S,
            on_reading=lambda reading: None,
        )  # fmt: skip
        self._probes.append(memory)

    def _add_logs(self) -> None:
        service = self._service
        if service.settings.rotate is None or not service.settings.logs:
            return
        made = LogSizes(service, self._monitoring.full_disks, report=self._report, clear=self._clear)
        self._monitoring.watch(
            self._logs,
            service.subject,
            made,
            kind="logs",
            every_s=self._monitoring.settings.intervals.monitoring_s,
            on_reading=made.judge,
        )
        self._probes.append(self._logs)

    @property
    def _logs(self) -> str:
        return f"{self._service.name}.logs"

    def _process_every_s(self) -> float:
        settings = self._service.settings
        shortest = min((check.every_s for check in settings.checks if check.every_s), default=None)
        return settings.check_every_s or shortest or self._monitoring.settings.intervals.monitoring_s

    def _set_interval(self, probe: str, every_s: float) -> None:
        if self._monitoring.sampler.probes[probe].every_s != every_s:
            self._monitoring.sampler.set_interval(probe, every_s)

    def _checked(self, check: ManagedCheck, reading: Reading) -> None:
        service = self._service
        if not service.has_process and service.run.state is RunState.GONE:
            check.last = reading  # nothing runs: its checks have nothing to tell
            return
        before = service.state
        failures = check.streak.failures
        self._keeper.hear(service, check, reading)
        if check.streak.failures != failures:
            self._pace()
            if check.streak.failures:
                self._suspected()
        if service.state is ServiceState.FAILING and before is ServiceState.FAILING:
            self._report_unhealthy()
        elif service.state is ServiceState.UP and reading.state is ReadingState.OK:
            self._clear_when_well()  # a fix that could not be verified left its issue open
        self._availability.heard(check, reading, every_s=self._every_s(check))
        if reading.state is not ReadingState.UNKNOWN:
            self._bounds[check.name].observe(reading)

    def _process_read(self, reading: Reading) -> None:
        service = self._service
        self._availability.observe(reading.at)
        frozen = self._process.frozen and reading.state is ReadingState.OK
        if not frozen:
            service.frozen_since = None
        elif service.frozen_since is None:
            service.frozen_since = reading.at
        self._monitoring.sampler.hurry(reading.probe, FROZEN_LOOK_S if frozen and not self._is_frozen() else None)
        if not service.operating and (
            not service.has_process or (frozen and self._is_frozen()) or service.run.state is RunState.FROZEN
        ):
            self._keeper.observe(service)
        elif service.grace_until is not None:
            self._keeper.update(service)  # the grace time may be over without any check to say so
        if reading.state is ReadingState.OK:
            self._limits.observe(reading.at, reading.values)

    def _is_frozen(self) -> bool:
        since = self._service.frozen_since
        return since is not None and self._monitoring.clock.monotonic() - since >= FROZEN_S

    def _clear_when_well(self) -> None:
        """Resolve what the checks had raised, once they pass; that they no longer fail is not enough."""
        checks = self._service.checks.values()
        told = [check for check in checks if check.last is not None and check.last.state is not ReadingState.UNKNOWN]
        if checks and not (told and all(check.passes for check in told)):
            return
        for key in (_DOWN, _UNHEALTHY):
            self._clear(key, "its checks pass" if checks else "it runs again")

    def _tell_fallback(self) -> None:
        """That it runs by its fallback command is a trouble of its own, until its own command works again."""
        service = self._service
        if not service.control.fallback:
            self._clear(_FALLBACK, "it runs by its own command again")
            return
        self._report(
            Finding(
                type=_FALLBACK[0],
                metric=_FALLBACK[1],
                subject=service.subject,
                severity=Severity.WARNING,
                summary=f"{service.name} runs by its fallback command",
                certain=True,
            )
        )

    def _report_down(self) -> None:
        service = self._service
        self._report(
            Finding(
                type=_DOWN[0],
                metric=_DOWN[1],
                subject=service.subject,
                severity=Severity.CRITICAL,
                summary=f"{service.name} is not running: {service.run.message or 'no process'}",
                evidence=(service.run.message,) if service.run.message else (),
                certain=True,
            )
        )
        self._clear(_UNHEALTHY, "its process is gone")

    def _report_unhealthy(self) -> None:
        service = self._service
        frozen = service.run.state is RunState.FROZEN
        failing = service.failing_checks()
        seen = tuple(f"{check.name}: {check.last.message if check.last else ''}" for check in failing)
        if frozen:
            words = "its process is frozen (stopped by a signal)"
        else:
            words = "; ".join(f"{check.name} failed" for check in failing)
        self._report(
            Finding(
                type=_UNHEALTHY[0],
                metric=_UNHEALTHY[1],
                subject=service.subject,
                severity=Severity.CRITICAL,
                summary=f"{service.name} does not work: {words}",
                evidence=seen,
                certain=frozen,
            )
        )

    def _report(self, finding: Finding) -> Issue:
        return self._monitoring.book.report(finding, wall_now=self._monitoring.clock.wall())[0]

    def _clear(self, key: tuple[IssueType, str], cause: str) -> None:
        kind, metric = key
        self._monitoring.book.clear(
            (kind, self._service.subject, metric), cause=cause, wall_now=self._monitoring.clock.wall()
        )


def _nothing() -> None:
    """A probe that remembers nothing has nothing to forget."""
