"""Judges the values of a service's checks by the bounds in their options: what works, but is in trouble."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from autonomyd.analyze.detectors.threshold import ThresholdDetector, ThresholdRule
from autonomyd.analyze.verdict import Verdict
from autonomyd.engine.managed import ManagedCheck, ManagedService
from autonomyd.model.issue import Finding, IssueType
from autonomyd.model.reading import Reading
from autonomyd.model.service import ServiceState
from autonomyd.monitor.probe import Bound

CLEAR_SHARE = 0.9

Report = Callable[[Finding], object]
Clear = Callable[[tuple[IssueType, str], str], object]
"""((type of the issue, its metric), why) of an issue of this service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    bound: Bound
    metric: str
    detector: ThresholdDetector


class BoundJudge:
    """One for each check that has bounds."""

    def __init__(
        self,
        service: ManagedService,
        check: ManagedCheck,
        *,
        bounds: tuple[Bound, ...],
        report: Report,
        clear: Clear,
    ) -> None:
        self._service = service
        self._check = check
        self._bounds = bounds
        self._report = report
        self._clear = clear
        self._judged = tuple(self._made())

    def reset(self) -> None:
        """A new process has started: what was measured before speaks of another."""
        self._judged = tuple(self._made())

    def observe(self, reading: Reading) -> None:
        """Judge what one look has measured."""
        state = self._service.state
        if state not in (ServiceState.UP, ServiceState.FAILING):
            return
        for each in self._judged:
            value = reading.values.get(each.bound.value)
            # while it fails, it is slow for that reason; what its database suffers from may be the reason
            if value is not None and (state is ServiceState.UP or each.bound.type is not IssueType.HIGH_LATENCY):
                self._judge(each, reading.at, value)

    def _made(self) -> Iterator[_Judged]:
        for bound in self._bounds:
            level = bound.level if bound.option is None else getattr(self._check.settings, bound.option, None)
            if level is None:
                continue
            rule = ThresholdRule(enter=level, clear=level * CLEAR_SHARE, consecutive=bound.consecutive)
            metric = self._check.name if bound.type is IssueType.HIGH_LATENCY else bound.value
            yield _Judged(bound=bound, metric=metric, detector=ThresholdDetector(rule))

    def _judge(self, each: _Judged, at: float, value: float) -> None:
        bound, rule = each.bound, each.detector.rule
        verdict = each.detector.observe(at, value)
        if verdict is Verdict.RAISED:
            words = bound.words.format(service=self._service.name, check=self._check.name, value=value)
            over = f", over {rule.enter:g} {bound.unit}".rstrip() if rule.enter else ""
            self._report(
                Finding(
                    type=bound.type,
                    subject=self._service.subject,
                    metric=each.metric,
                    severity=bound.severity,
                    summary=f"{words}{over}",
                    evidence=(f"{self._check.name}: {self._check.last.message}",) if self._check.last else (),
                    value=value,
                    threshold=rule.enter,
                    certain=True,
                )
            )
        elif verdict is Verdict.CLEARED:
            self._clear((bound.type, each.metric), f"{bound.value} is {value:.4g} {bound.unit}".rstrip() + " again")
