"""There is a remedy for this cause, and it has something to do."""

from autonomyd.model.diagnosis import Cause
from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.plan.proposal import Answer, Proposal, passed, refused

NEEDS = "a strategy with something to do"


def strategy(proposal: Proposal) -> Answer:
    chosen = proposal.strategy
    if chosen is None:
        cause = proposal.cause.cause if proposal.cause else Cause.CUSTOM
        if cause is Cause.PARENT_FAILED:
            parents = ", ".join(proposal.service.parents_down) if proposal.service else ""
            return refused(
                GateName.STRATEGY,
                RefusalReason.PARENT_FAILED,
                saw=f"waits for {parents}",
                needs=NEEDS,
                message=f"it waits for {parents}, which is healed first",
            )
        return refused(
            GateName.STRATEGY,
            RefusalReason.NO_STRATEGY,
            saw="none",
            needs=NEEDS,
            message=f"there is no strategy for {cause}; a person should look",
        )
    if not proposal.steps:
        why = chosen.why_nothing(proposal.issue, proposal.situation)
        return refused(
            GateName.STRATEGY, RefusalReason.NOTHING_TO_DO, saw=f"{chosen.name}: {why}", needs=NEEDS, message=why
        )
    return passed(GateName.STRATEGY, saw=chosen.name, needs=NEEDS)
