"""Gate 3: the cause is undetermined, or the data is unknown."""

from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.plan.proposal import Answer, Proposal, passed, refused

NEEDS = "a known cause from known data"


def known_cause(proposal: Proposal) -> Answer:
    missing = proposal.situation.unknown
    if missing:
        return refused(
            GateName.KNOWN_CAUSE,
            RefusalReason.UNKNOWN_DATA,
            saw=missing,
            needs=NEEDS,
            message=f"nothing is done on data that is not known: {missing}",
        )
    if proposal.cause is None:
        note = proposal.diagnosis.note or "no rule explains it"
        return refused(
            GateName.KNOWN_CAUSE,
            RefusalReason.UNDETERMINED,
            saw="undetermined",
            needs=NEEDS,
            message=f"the cause is not known: {note}",
        )
    return passed(GateName.KNOWN_CAUSE, saw=f"{proposal.cause.cause}", needs=NEEDS)
