"""Gate 5: the learned confidence of (cause, strategy) reaches the bound, else a person is asked.

What was learned does not hold the start of a dead service: that it did not help lately costs nothing."""

from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.plan.proposal import Answer, Proposal, passed, refused


def confidence(proposal: Proposal) -> Answer:
    bound = proposal.limits.confidence
    needs = f"at least {bound:.0f} of 100"
    sure = f"{proposal.confidence:.0f}"
    saw = sure + _learned(proposal)
    if proposal.confidence >= bound:
        return passed(GateName.CONFIDENCE, saw=saw, needs=needs)
    if proposal.harmless and proposal.cause is not None and proposal.cause.confidence >= bound:
        return passed(GateName.CONFIDENCE, saw=f"{saw}; a dead service can only gain", needs=needs)
    if proposal.allowed_by:
        return passed(GateName.CONFIDENCE, saw=f"{saw}; {proposal.allowed_by}", needs=needs)
    return refused(
        GateName.CONFIDENCE,
        RefusalReason.LOW_CONFIDENCE,
        saw=saw,
        needs=needs,
        message=f"confidence {sure} is under {bound:.0f}: a person should decide",
    )


def _learned(proposal: Proposal) -> str:
    known = proposal.experience
    if not known.total:
        return ""
    moved = f"{known.points:+.0f} learned" if known.points else "nothing added yet"
    return f" ({moved}: {known.healed} of {known.total} healed here)"
