"""Change one declared number by one bounded step, and let the service read it."""

from dataclasses import dataclass

from autonomyd.execute.playbooks.afresh import afresh, afresh_words
from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import NumberFacts, ServiceFacts, Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.service import RunState
from autonomyd.model.step import ReloadService, RestartService, SetNumber, StartService, Step, StopService

CAUSES = (
    Cause.RATE_LIMITED,
    Cause.PROCESS_OVERLOADED,
    Cause.SLOW_DEPENDENCY,
    Cause.MEMORY_LEAK,
    Cause.ERRORS_IN_LOG,
)
"""What numbers may be declared against (settings.tune)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tune:
    """Against one cause: the first number that is declared to help against it and can still go on."""

    against: Cause
    rung: int = 0
    risk: Risk = Risk.MEDIUM
    disruptive: bool = True
    reversible: bool = True
    consented: bool = False
    reads: frozenset[str] = frozenset({"service", "numbers"})
    yields: frozenset[type] = frozenset({SetNumber, ReloadService, StartService, StopService, RestartService})

    @property
    def name(self) -> str:
        return f"tune-{self.against.value.replace('_', '-')}"

    @property
    def causes(self) -> frozenset[Cause]:
        return frozenset({self.against})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        service, number = situation.service, self._next(situation)
        if service is None or number is None:
            return ()
        taken_up = (ReloadService(service=service.name),) if _reloads(service) else afresh(service)
        return (changed(number), *taken_up) if taken_up else ()

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        known = [each for each in situation.numbers if self.against in each.helps]
        if not known:
            return f"no number is declared (`tune`) to help against {self.against}"
        if self._next(situation) is not None:
            return "whether it runs is not known"
        return "; ".join(at_its_end(each) for each in known)

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        service, number = situation.service, self._next(situation)
        if service is None or number is None:
            return ()
        taken_up = (f"reload {service.name}",) if _reloads(service) else afresh_words(service)
        return (change_words(number), *taken_up)

    def _next(self, situation: Situation) -> NumberFacts | None:
        able = (each for each in situation.numbers if self.against in each.helps and each.toward is not None)
        return next(able, None)


def changed(number: NumberFacts) -> SetNumber:
    """The step; only for a number that can go on."""
    assert number.toward is not None
    return SetNumber(path=number.path, format=number.format, key=number.key, before=number.value, after=number.toward)


def change_words(number: NumberFacts) -> str:
    bounds = f"allowed are {number.floor:g} to {number.ceiling:g}"
    return f"change {number.name} in {number.path} from {number.value:g} to {number.toward:g} ({bounds})"


def at_its_end(number: NumberFacts) -> str:
    """Why it can't go on."""
    return f"{number.name} is {number.value:g} and may go no further ({number.floor:g} to {number.ceiling:g})"


def _reloads(service: ServiceFacts) -> bool:
    return service.can_reload and service.run is RunState.RUNNING
