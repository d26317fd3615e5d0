"""Gate 4: a disruptive act needs two independent signals, or one that is certain."""

from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.plan.proposal import Answer, Proposal, passed, refused

LOOK_AGAIN_S = 0.5
"""The next samples may bring the second signal: it is asked again soon, not at the next turn of the loop."""
NEEDS = "two independent signals, or a certain one"


def signals(proposal: Proposal) -> Answer:
    seen = proposal.diagnosis.signals
    words = ", ".join(seen) or "none"
    if proposal.strategy is None or not proposal.strategy.disruptive:
        return passed(GateName.SIGNALS, saw=f"{words} (interrupts nothing)", needs=NEEDS)
    if proposal.diagnosis.certain:
        return passed(GateName.SIGNALS, saw=f"{words} (certain)", needs=NEEDS)
    if len(seen) >= 2:
        return passed(GateName.SIGNALS, saw=words, needs=NEEDS)
    return refused(
        GateName.SIGNALS,
        RefusalReason.TOO_FEW_SIGNALS,
        saw=words,
        needs=NEEDS,
        message=f"only one signal so far ({words}); waiting for a second before interrupting it",
        retry_at=proposal.situation.wall_now + LOOK_AGAIN_S,
    )
