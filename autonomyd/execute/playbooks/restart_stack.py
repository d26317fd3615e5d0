"""Restart a service with everything that depends on it, in the order of dependency."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import RestartService, StartService, Step, StopService


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartStack:
    """For a service whose children hold on to what it was: they stop first, and start after it."""

    name: str = "restart-stack"
    causes: frozenset[Cause] = frozenset({Cause.PROCESS_HUNG, Cause.WRONG_ANSWERS})
    rung: int = 4
    risk: Risk = Risk.HIGH
    disruptive: bool = True
    reversible: bool = True
    consented: bool = False
    reads: frozenset[str] = frozenset({"service"})
    yields: frozenset[type] = frozenset({StopService, RestartService, StartService})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        service = situation.service
        if service is None or not service.children or service.off_limits:
            return ()
        # `children` has the outermost first: the order in which they stop
        stops = tuple(StopService(service=name) for name in service.children)
        starts = tuple(StartService(service=name) for name in reversed(service.children))
        return (*stops, RestartService(service=service.name), *starts)

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        service = situation.service
        if service is None or not service.off_limits:
            return "nothing depends on it"
        names = ", ".join(service.off_limits)
        return f"{names} would be restarted with it, and may not be touched now (autonomy, maintenance or the breaker)"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        service = situation.service
        if service is None or not self.steps(issue, situation):
            return ()
        names = ", ".join(service.children)
        return (f"stop {names}", f"restart {service.name}", f"start {', '.join(reversed(service.children))}")
