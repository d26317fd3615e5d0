"""Run the declared fallback command when nothing else helped, and the service's own again later."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import Situation
from autonomyd.model.fix import Outcome
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import Step, SwitchCommand

TRIES = 3
WITHIN_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FallBack:
    """The last rung of every ladder: a simpler service is better than none."""

    name: str = "fall-back"
    causes: frozenset[Cause] = frozenset({Cause.PROCESS_GONE, Cause.PROCESS_HUNG, Cause.WRONG_ANSWERS})
    rung: int = 8
    risk: Risk = Risk.MEDIUM
    disruptive: bool = True
    reversible: bool = True
    consented: bool = False
    reads: frozenset[str] = frozenset({"service"})
    yields: frozenset[type] = frozenset({SwitchCommand})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        service = situation.service
        if service is None or service.fallback is not False or _failures(situation, service.name) < TRIES:
            return ()
        return (SwitchCommand(service=service.name, fallback=True),)

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        service = situation.service
        declared = service is not None and service.fallback is not None
        if not declared:
            return "no fallback command is declared for it"
        return f"its own command has not failed {TRIES} times, or it runs by its fallback command already"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        return (f"run {situation.service.name} by its fallback command",) if situation.service else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnFromFallback:
    """After `fallback.retry_s`; when its own command still does not work, the fallback is put back."""

    name: str = "return-from-fallback"
    causes: frozenset[Cause] = frozenset({Cause.FALLBACK_RUNS})
    rung: int = 0
    risk: Risk = Risk.MEDIUM
    disruptive: bool = True
    reversible: bool = True
    consented: bool = False
    reads: frozenset[str] = frozenset({"service"})
    yields: frozenset[type] = frozenset({SwitchCommand})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        service = situation.service
        if service is None or not service.fallback or service.fallback_left_s > 0.0:
            return ()
        return (SwitchCommand(service=service.name, fallback=False),)

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        return "it does not run by its fallback command, or not long enough"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        return (f"run {situation.service.name} by its own command again",) if situation.service else ()


def _failures(situation: Situation, name: str) -> int:
    """How many fixes of the service did not help lately."""
    return sum(
        1
        for fix in situation.past
        if fix.service == name and fix.outcome is not Outcome.HEALED and situation.now - fix.at < WITHIN_S
    )
