"""Gate 3: the cause is undetermined, or the data is unknown."""

from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.plan.proposal import Answer, Proposal, passed, refused

LOOK_AGAIN_S = 5.0
"""New samples of a service may tell more: it is asked again soon."""
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
            retry_at=None if proposal.service is None else proposal.situation.wall_now + LOOK_AGAIN_S,
        )
    return passed(GateName.KNOWN_CAUSE, saw=f"{proposal.cause.cause}", needs=NEEDS)
