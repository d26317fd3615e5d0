"""How reliably one service works: what its checks say over time, held against its objective; and checks that go up and
down. Time counts, not looks: a check that is repeated quickly while it fails weighs no more for that."""

from collections.abc import Callable

from autonomyd.analyze.detectors.burn_rate import Burn, BurnRate
from autonomyd.analyze.detectors.flap import FlapDetector
from autonomyd.analyze.verdict import Verdict
from autonomyd.engine.managed import ManagedCheck, ManagedService
from autonomyd.model.health import Severity
from autonomyd.model.issue import Finding, IssueType
from autonomyd.model.reading import Reading, ReadingState
from autonomyd.model.service import Intent, ServiceState
from autonomyd.model.words import duration
from autonomyd.settings.root import Settings
from autonomyd.settings.service import ServiceSettings

JUDGED_EVERY_S = 10.0
PACE_SHARE = 0.9
"""Looks closer together than this share of the check's interval are second looks: they make no check restless."""

_AVAILABILITY = (IssueType.LOW_AVAILABILITY, "availability")
_BAD = (ServiceState.DOWN, ServiceState.FAILING)
_NOT_ASKED = (ServiceState.STOPPED, ServiceState.STOPPING, ServiceState.UNKNOWN)

Report = Callable[[Finding], object]
Clear = Callable[[tuple[IssueType, str], str], object]


class AvailabilityJudge:
    """One for each service. `service.available` is what it has found."""

    def __init__(
        self, service: ManagedService, settings: Callable[[], Settings], *, report: Report, clear: Clear
    ) -> None:
        self._service = service
        self._settings = settings
        self._report = report
        self._clear = clear
        self._burn = BurnRate(self.objective)
        self._flaps: dict[str, FlapDetector] = {}
        self._looked: dict[str, float] = {}
        self._judged_at = 0.0

    @property
    def objective(self) -> float:
        """The share of time that the service is to work, %."""
        return objective_of(self._service.settings, self._settings())

    def observe(self, at: float) -> None:
        """The service's state, or what one of its checks says, may be another from `at` (monotonic seconds) on."""
        self._burn.observe(at, self._works())
        if at - self._judged_at >= JUDGED_EVERY_S:
            self._judged_at = at
            self._judge(at)

    def heard(self, check: ManagedCheck, reading: Reading, *, every_s: float) -> None:
        """A reading of one of the checks; `every_s` is its interval."""
        self.observe(reading.at)
        state = self._service.state
        if reading.state is ReadingState.UNKNOWN or state not in (ServiceState.UP, ServiceState.FAILING):
            return
        if reading.at - self._looked.get(check.name, -every_s) < PACE_SHARE * every_s:
            return
        self._looked[check.name] = reading.at
        flap = self._settings().detectors.flap
        known = self._flaps.get(check.name)
        if known is None:
            known = self._flaps[check.name] = FlapDetector(high=flap.high_percent, low=flap.low_percent)
        self._tell_flapping(check, known, known.observe(reading.state is ReadingState.OK))

    def _works(self) -> bool | None:
        """Whether people can use it now. While it starts it is what it was before: what died is not back yet, and what
        somebody restarts is not held against it."""
        service = self._service
        if service.intent is Intent.STOPPED or service.state in _NOT_ASKED:
            return None
        if service.state is ServiceState.STARTING:
            return self._burn.last
        return not (service.state in _BAD or any(map(_fails, service.checks.values())))

    def _judge(self, at: float) -> None:
        service = self._service
        service.available = self._burn.availability(at)
        self._burn.aim(self.objective)
        burn = self._burn.burning(at) if self._settings().detectors.burn_rate else None
        if service.intent is Intent.STOPPED or service.state in (*_NOT_ASKED, *_BAD):
            return  # while it does not work at all, an issue of its own says so
        if burn is None:
            self._clear(_AVAILABILITY, "its error budget is no longer used up too fast")
        else:
            self._report(self._burning(burn))

    def _burning(self, burn: Burn) -> Finding:
        rule, objective = burn.rule, self.objective
        worked = 100.0 * (1.0 - burn.bad_s / rule.long_s)
        return Finding(
            type=_AVAILABILITY[0],
            subject=self._service.subject,
            metric=_AVAILABILITY[1],
            severity=rule.severity,
            summary=f"{self._service.name} worked {worked:.4g} % of the last {duration(rule.long_s)}: its error budget "
            f"is used up {burn.rate:.3g} times as fast as it may be",
            evidence=(
                f"fixed objective {objective:g} %; it did not work for {duration(burn.bad_s)}",
                f"the last {duration(rule.short_s)} were no better; from {rule.factor:g} times on it counts",
            ),
            value=worked,
            threshold=objective,
        )

    def _tell_flapping(self, check: ManagedCheck, flap: FlapDetector, verdict: Verdict) -> None:
        metric = f"{check.name}.flapping"
        if verdict is Verdict.CLEARED:
            self._clear((IssueType.LOW_AVAILABILITY, metric), "it has been steady")
        elif verdict is Verdict.RAISED:
            high = self._settings().detectors.flap.high_percent
            self._report(
                Finding(
                    type=IssueType.LOW_AVAILABILITY,
                    subject=self._service.subject,
                    metric=metric,
                    severity=Severity.WARNING,
                    summary=f"{check.name} of {self._service.name} goes up and down: {flap.changes} changes in its "
                    f"last {flap.known} looks",
                    evidence=(f"fixed threshold {high:g} % of change; newer changes weigh more",),
                    value=flap.percent,
                    threshold=high,
                )
            )


def objective_of(service: ServiceSettings, settings: Settings) -> float:
    """The share of time that the service is to work, %: its own, else the threshold of all."""
    return settings.thresholds.availability_percent.enter if service.objective is None else service.objective


def _fails(check: ManagedCheck) -> bool:
    """Whether a check says now that the service itself can't be used: not what stands beside it, nor what it needs."""
    return check.about_service and not check.dependency and check.streak.failures > 0
