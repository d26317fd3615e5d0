"""Gate 2: the autonomy of the service. `observe` and `shadow` never act, `ask` waits for a person.

What counts is the lower of what the configuration allows and what the remedy has earned here. Lost trust does not hold
the start of a dead service: it can make nothing worse."""

from autonomyd.model.plan import Autonomy, GateName, RefusalReason
from autonomyd.plan.proposal import Answer, Proposal, passed, refused

NEEDS = "autonomy = act, or a person's word"
_ORDER = tuple(Autonomy)
_WHY = {
    Autonomy.OBSERVE: (RefusalReason.OBSERVE_ONLY, "it is only observed"),
    Autonomy.SHADOW: (RefusalReason.SHADOW, "it is in shadow mode: what would have been done is noted and scored"),
    Autonomy.ASK: (RefusalReason.NEEDS_APPROVAL, "it asks before it acts"),
}


def autonomy(proposal: Proposal) -> Answer:
    service = proposal.service
    configured = service.autonomy if service is not None else Autonomy.ACT
    earned = proposal.situation.earned.get(proposal.strategy.name) if proposal.strategy is not None else None
    level = lower(configured, Autonomy.ACT if earned is None else earned)
    if level is Autonomy.ACT:
        return passed(GateName.AUTONOMY, saw="act", needs=NEEDS)
    fallen = "" if level is configured else f"{configured}, fallen to {level} after failures"
    if level is not configured and configured is Autonomy.ACT and proposal.harmless:
        return passed(GateName.AUTONOMY, saw=f"{fallen}; a dead service can only gain", needs=NEEDS)
    if level is Autonomy.ASK and proposal.allowed_by:
        return passed(GateName.AUTONOMY, saw=f"{fallen or level}; {proposal.allowed_by}", needs=NEEDS)
    reason, why = _WHY[level]
    name = service.name if service is not None else proposal.issue.subject
    back = f"; its fixes failed, `autonomyctl trust --raise {name}` raises it again" if fallen else ""
    return refused(
        GateName.AUTONOMY,
        reason,
        saw=fallen or level.value,
        needs=NEEDS,
        message=f"nothing is done to {name}: {why}{back}",
    )


def lower(one: Autonomy, other: Autonomy) -> Autonomy:
    """The level of the two that allows less."""
    return min(one, other, key=_ORDER.index)
