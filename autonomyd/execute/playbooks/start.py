"""Start a service whose process is gone."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.service import RunState
from autonomyd.model.step import StartService, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Disturbs nothing: there is no process to disturb."""

    name: str = "start"
    causes: frozenset[Cause] = frozenset({Cause.PROCESS_GONE})
    rung: int = 0
    risk: Risk = Risk.LOW
    disruptive: bool = False
    reversible: bool = True
    consented: bool = False
    reads: frozenset[str] = frozenset({"service"})
    yields: frozenset[type] = frozenset({StartService})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        service = situation.service
        if service is None or service.run is not RunState.GONE:
            return ()
        return (StartService(service=service.name),)

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        return "it runs already"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        return (f"start {situation.service.name}",) if situation.service else ()
