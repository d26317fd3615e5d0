"""Restart a process that leaks, in an orderly way, before it reaches its limit."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import RestartService, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Recycle:
    """While it still works there is time for an orderly end; at the limit there may be none."""

    name: str = "recycle"
    causes: frozenset[Cause] = frozenset({Cause.LEAKING})
    rung: int = 0
    risk: Risk = Risk.LOW
    disruptive: bool = True
    reversible: bool = True
    consented: bool = False
    reads: frozenset[str] = frozenset({"service"})
    yields: frozenset[type] = frozenset({RestartService})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        return (RestartService(service=situation.service.name),) if situation.service else ()

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        return "no service that could be recycled belongs to this issue"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        return (f"restart {situation.service.name} before it reaches its limit",) if situation.service else ()
