"""Gate 3: the cause is undetermined, or the data is unknown or stale."""

from autonomyd.model.facts import ServiceFacts
from autonomyd.model.issue import IssueType
from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.model.service import RunState
from autonomyd.plan.proposal import Answer, Proposal, passed, refused

LOOK_AGAIN_S = 5.0
STOPPED_AGAIN_S = 0.25
"""A process that is stopped by a signal is known to be frozen within a second, or to run again."""
"""New samples of a service may tell more: it is asked again soon."""
NEEDS = "a known cause from known data"


def known_cause(proposal: Proposal) -> Answer:
    service = proposal.service
    soon_s = STOPPED_AGAIN_S if service is not None and service.stopped else LOOK_AGAIN_S
    again = None if service is None else proposal.situation.wall_now + soon_s
    missing = proposal.situation.unknown or _stale(proposal)
    if missing:
        return refused(
            GateName.KNOWN_CAUSE,
            RefusalReason.UNKNOWN_DATA,
            saw=missing,
            needs=NEEDS,
            message=f"nothing is done on data that is not known: {missing}",
            retry_at=again,
        )
    if proposal.cause is None:
        note = proposal.diagnosis.note or "no rule explains it"
        return refused(
            GateName.KNOWN_CAUSE,
            RefusalReason.UNDETERMINED,
            saw="undetermined",
            needs=NEEDS,
            message=f"the cause is not known: {note}",
            retry_at=again,
        )
    return passed(GateName.KNOWN_CAUSE, saw=proposal.cause.cause.words, needs=NEEDS)


def _stale(proposal: Proposal) -> str:
    """Why what the issue rests on can't be told at the moment; "" when it can. A strategy of the embedding program
    knows for itself."""
    service = proposal.service
    if service is None or proposal.situation.custom_strategy is not None:
        return ""
    if service.run is RunState.UNKNOWN:
        return service.run_message or "whether it runs is not known"
    failing = [check for check in service.checks if check.failing]
    if proposal.issue.type is IssueType.SERVICE_UNHEALTHY and failing and not any(each.known for each in failing):
        return _silent(service)
    return ""


def _silent(service: ServiceFacts) -> str:
    names = ", ".join(check.name for check in service.checks if check.failing)
    return f"{names} failed before, and can't tell at the moment"
