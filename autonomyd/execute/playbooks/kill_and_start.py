"""Kill a process that can't stop by itself (frozen, or deaf to an orderly restart), then start it."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import StartService, Step, StopService


@dataclass(frozen=True, slots=True, kw_only=True)
class KillAndStart:
    """SIGKILL to the process and its group, wait for the real exit, start."""

    name: str = "kill-and-start"
    causes: frozenset[Cause] = frozenset({Cause.PROCESS_STOPPED, Cause.PROCESS_HUNG})
    rung: int = 2
    risk: Risk = Risk.HIGH
    disruptive: bool = True
    reversible: bool = True
    consented: bool = False
    reads: frozenset[str] = frozenset({"service"})
    yields: frozenset[type] = frozenset({StopService, StartService})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        if situation.service is None:
            return ()
        name = situation.service.name
        return (StopService(service=name, force=True), StartService(service=name))

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        return "no service that could be killed belongs to this issue"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        return (f"kill {situation.service.name}", f"start {situation.service.name}") if situation.service else ()
