"""Gate 2: the autonomy of the service. `observe` and `shadow` never act, `ask` waits for a person."""

from autonomyd.model.plan import Autonomy, GateName, RefusalReason
from autonomyd.plan.proposal import Answer, Proposal, passed, refused

NEEDS = "autonomy = act"
_WHY = {
    Autonomy.OBSERVE: (RefusalReason.OBSERVE_ONLY, "it is only observed"),
    Autonomy.SHADOW: (RefusalReason.SHADOW, "it is in shadow mode: this is what would have been judged"),
    Autonomy.ASK: (RefusalReason.NEEDS_APPROVAL, "it asks before it acts: do it by hand with `autonomyctl service`"),
}


def autonomy(proposal: Proposal) -> Answer:
    service = proposal.service
    if service is None or service.autonomy is Autonomy.ACT:
        return passed(GateName.AUTONOMY, saw="act", needs=NEEDS)
    reason, why = _WHY[service.autonomy]
    return refused(
        GateName.AUTONOMY,
        reason,
        saw=service.autonomy.value,
        needs=NEEDS,
        message=f"nothing is done to {service.name}: {why}",
    )
