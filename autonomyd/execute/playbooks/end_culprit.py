"""End the one child process that runs away or leaves dead children behind; the service itself goes on."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import EndProcess, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class EndCulprit:
    """Gentler than a restart of it all. The limit in the configuration is the consent."""

    name: str = "end-child-process"
    causes: frozenset[Cause] = frozenset({Cause.RUNAWAY, Cause.ZOMBIES})
    rung: int = 0
    risk: Risk = Risk.MEDIUM
    disruptive: bool = True
    reversible: bool = False
    consented: bool = True
    reads: frozenset[str] = frozenset({"service", "culprit"})
    yields: frozenset[type] = frozenset({EndProcess})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        found = situation.culprit
        if found is None or situation.service is None:
            return ()
        return (EndProcess(pid=found.pid, started=found.started, why=f"{found.name} {found.why}"),)

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        return "no single child process is to blame: it is the main process, or many"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        found = situation.culprit
        return () if found is None else (f"end pid {found.pid} ({found.name} {found.why})",)
