"""There is a remedy for this cause, the facts that it rests on are known, and it has something to do."""

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import Situation
from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.model.strategy import Strategy
from autonomyd.plan.proposal import Answer, Proposal, passed, refused

LOOK_AGAIN_S = 5.0
"""A fact that could not be read is read again soon."""
PORT_AGAIN_S = 0.4
"""Nothing tells when a stranger leaves the port: it is looked at this often, so that the service need not wait long."""
NEEDS = "a strategy with something to do"


def strategy(proposal: Proposal) -> Answer:
    chosen = proposal.strategy
    if chosen is None:
        return _none(proposal)
    missing = unread_fact(chosen, proposal.situation)
    if missing:
        return refused(
            GateName.STRATEGY,
            RefusalReason.UNKNOWN_DATA,
            saw=f"{chosen.name}: {missing}",
            needs=NEEDS,
            message=f"{chosen.name} would be next, but {missing}",
            retry_at=proposal.situation.wall_now + LOOK_AGAIN_S,
        )
    if not proposal.steps:
        why = chosen.why_nothing(proposal.issue, proposal.situation)
        waits = proposal.cause is not None and proposal.cause.cause is Cause.PORT_TAKEN
        return refused(
            GateName.STRATEGY,
            RefusalReason.NOTHING_TO_DO,
            saw=f"{chosen.name}: {why}",
            needs=NEEDS,
            message=why,
            retry_at=proposal.situation.wall_now + PORT_AGAIN_S if waits else None,
        )
    passed_over = f" (not {'; not '.join(proposal.passed_over)})" if proposal.passed_over else ""
    return passed(GateName.STRATEGY, saw=f"{chosen.name}{passed_over}", needs=NEEDS)


def unread_fact(chosen: Strategy, situation: Situation) -> str:
    """Which fact that the strategy rests on could not be read, and why; "" when all are known."""
    for name in sorted(chosen.reads & situation.unread.keys()):
        return f"{name.replace('_', ' ')} could not be read: {situation.unread[name]}"
    return ""


def _none(proposal: Proposal) -> Answer:
    cause = proposal.cause.cause if proposal.cause else Cause.CUSTOM
    if cause is Cause.PARENT_FAILED:
        service = proposal.service
        parents = ", ".join(dict.fromkeys((*service.parents_down, *service.parents_unsure))) if service else ""
        return refused(
            GateName.STRATEGY,
            RefusalReason.PARENT_FAILED,
            saw=f"waits for {parents}",
            needs=NEEDS,
            message=f"it waits for {parents}, which must be well first",
        )
    if proposal.passed_over:
        words = "; ".join(proposal.passed_over)
        message = f"every remedy for {cause.words} is ruled out ({words}); a person should look"
    else:
        words, message = "none", f"there is no remedy for {cause.words}; a person should look"
    return refused(GateName.STRATEGY, RefusalReason.NO_STRATEGY, saw=words, needs=NEEDS, message=message)
