"""How much to trust a remedy: the rule's own confidence, adjusted by how it fared here.

Formula: adjustment = (success rate - 0.5) x 20; the planner adds it and clamps to 50..100.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import PastFix
from autonomyd.model.fix import Outcome

ENOUGH_OUTCOMES = 5
COUNTED = frozenset({Outcome.HEALED, Outcome.INEFFECTIVE, Outcome.ROLLED_BACK, Outcome.WORSENED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """`healed` of `total` finished, counted fixes."""

    healed: int = 0
    total: int = 0


def adjustment(success_rate: float) -> float:
    """Points to add for a `success_rate` of 0..1: 0.8 gives 6 (base 70 becomes 76), 0.85 gives 7."""
    return (success_rate - 0.5) * 20.0


def learned_for(cause: Cause, service: str | None, past: Iterable[PastFix]) -> Mapping[str, float]:
    """Points per strategy for this cause on this service; nothing until there are 5 counted outcomes.
    An unverified outcome teaches nothing."""
    tallies: dict[str, Tally] = {}
    for fix in past:
        if fix.cause is not cause or fix.service != service or fix.outcome not in COUNTED:
            continue
        before = tallies.get(fix.strategy, Tally())
        tallies[fix.strategy] = Tally(healed=before.healed + (fix.outcome is Outcome.HEALED), total=before.total + 1)
    return {
        strategy: adjustment(tally.healed / tally.total)
        for strategy, tally in tallies.items()
        if tally.total >= ENOUGH_OUTCOMES
    }
