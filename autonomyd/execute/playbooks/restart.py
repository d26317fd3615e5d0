"""Restart a service by its own orderly way."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import RestartService, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """An orderly stop with the service's own time-out, then a start."""

    name: str = "restart"
    causes: frozenset[Cause] = frozenset(
        {
            Cause.PROCESS_HUNG,
            Cause.LIMIT_EXCEEDED,
            Cause.MEMORY_LEAK,
            Cause.DESCRIPTOR_LEAK,
            Cause.ZOMBIES,
            Cause.RUNAWAY,
            Cause.WRONG_ANSWERS,
            Cause.ERRORS_IN_LOG,
            Cause.STALE_HEARTBEAT,
            Cause.CONTAINER_BROKEN,
        }
    )
    rung: int = 1
    risk: Risk = Risk.MEDIUM
    disruptive: bool = True
    reversible: bool = True
    consented: bool = False
    reads: frozenset[str] = frozenset({"service"})
    yields: frozenset[type] = frozenset({RestartService})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        return (RestartService(service=situation.service.name),) if situation.service else ()

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        return "no service that could be restarted belongs to this issue"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        return (f"restart {situation.service.name}",) if situation.service else ()
