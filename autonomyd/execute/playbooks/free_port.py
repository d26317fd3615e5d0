"""Free the port of a service that does not run: its own orphans, or programs that the configuration allows to end."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import PortHolder, Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import EndProcess, StartService, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class FreePort:
    """Ends only processes that are certainly left over from the service, or named in `may_end`; a stranger is waited
    for."""

    name: str = "free-port"
    causes: frozenset[Cause] = frozenset({Cause.PORT_HELD_BY_ORPHAN, Cause.PORT_TAKEN})
    rung: int = 0
    risk: Risk = Risk.MEDIUM
    disruptive: bool = False
    reversible: bool = False
    consented: bool = True
    reads: frozenset[str] = frozenset({"service", "ports"})
    yields: frozenset[type] = frozenset({EndProcess, StartService})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        service = situation.service
        if service is None or not situation.ports or not all(_may_end(each) for each in situation.ports):
            return ()
        ends = {
            (each.pid, each.started): EndProcess(pid=each.pid, started=each.started, why=_why(each))
            for each in situation.ports
            if each.pid is not None and each.started is not None
        }
        return (*ends.values(), StartService(service=service.name))

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        held = next((each for each in situation.ports if not _may_end(each)), None)
        if held is None:
            return "nobody holds its port"
        who = f"{held.name} (pid {held.pid})" if held.pid is not None else "a process that may not be seen"
        return (
            f"port {held.port} is held by {who}, which is not the service's: it is waited for, not ended "
            f"(name it in `may_end` to allow that)"
        )

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        steps = self.steps(issue, situation)
        ends = tuple(f"end pid {step.pid} ({step.why})" for step in steps if isinstance(step, EndProcess))
        return (*ends, f"start {situation.service.name}") if ends and situation.service else ()


def _may_end(holder: PortHolder) -> bool:
    return holder.pid is not None and holder.started is not None and (holder.ours or holder.allowed)


def _why(holder: PortHolder) -> str:
    kind = "left over from an earlier run of it" if holder.ours else "allowed by may_end"
    return f"{holder.name}, holds port {holder.port}; {kind}"
