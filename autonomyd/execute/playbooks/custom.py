"""A coroutine that the embedding program registered for an issue type (`healing.healing_strategies[...]`)."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import CallStrategy, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Custom:
    """What it does is the program's own affair; registering it is the consent."""

    name: str = "custom"
    causes: frozenset[Cause] = frozenset({Cause.CUSTOM})
    rung: int = 0
    risk: Risk = Risk.MEDIUM
    disruptive: bool = False
    reversible: bool = True
    consented: bool = True
    reads: frozenset[str] = frozenset({"custom_strategy"})
    yields: frozenset[type] = frozenset({CallStrategy})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        return (CallStrategy(name=situation.custom_strategy),) if situation.custom_strategy else ()

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        return "no strategy is registered for this type"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        return (f"call {situation.custom_strategy}",) if situation.custom_strategy else ()
