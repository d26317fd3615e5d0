"""Let a service read its configuration anew, without an interruption."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import ReloadService, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Reload:
    """The gentlest rung where the service can do it."""

    name: str = "reload"
    causes: frozenset[Cause] = frozenset({Cause.CERTIFICATE_EXPIRING})
    rung: int = 0
    risk: Risk = Risk.LOW
    disruptive: bool = False
    reversible: bool = True
    consented: bool = False
    reads: frozenset[str] = frozenset({"service"})
    yields: frozenset[type] = frozenset({ReloadService})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        service = situation.service
        if service is None or not service.can_reload:
            return ()
        return (ReloadService(service=service.name),)

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        return "it can't be told to read its configuration anew: its control declares no reload"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        return (f"reload {situation.service.name}",) if situation.service else ()
