"""Gate 5: the learned confidence of (cause, strategy) reaches the bound."""

from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.plan.proposal import Answer, Proposal, passed, refused


def confidence(proposal: Proposal) -> Answer:
    bound = proposal.limits.confidence
    needs = f"at least {bound:.0f} of 100"
    saw = f"{proposal.confidence:.0f}"
    if proposal.confidence >= bound:
        return passed(GateName.CONFIDENCE, saw=saw, needs=needs)
    return refused(
        GateName.CONFIDENCE,
        RefusalReason.LOW_CONFIDENCE,
        saw=saw,
        needs=needs,
        message=f"confidence {saw} is under {bound:.0f}: a person should decide",
    )
