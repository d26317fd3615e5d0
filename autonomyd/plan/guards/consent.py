"""Gate 6: irreversible or data-destroying steps need a person's consent; the configuration can give it standing."""

from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.model.step import IRREVERSIBLE_STEPS
from autonomyd.plan.proposal import Answer, Proposal, passed, refused

NEEDS = "reversible steps, or consent in the configuration"


def consent(proposal: Proposal) -> Answer:
    destroying = [type(step).__name__ for step in proposal.steps if isinstance(step, IRREVERSIBLE_STEPS)]
    if not destroying:
        return passed(GateName.CONSENT, saw="nothing is destroyed", needs=NEEDS)
    words = ", ".join(destroying)
    if proposal.strategy is not None and proposal.strategy.consented:
        return passed(GateName.CONSENT, saw=f"{words}, allowed by the configuration", needs=NEEDS)
    return refused(
        GateName.CONSENT,
        RefusalReason.IRREVERSIBLE,
        saw=words,
        needs=NEEDS,
        message=f"{words} can't be undone: a person must ask for it",
    )
