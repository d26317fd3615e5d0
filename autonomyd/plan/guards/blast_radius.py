"""Gate 10: a budget of disruptive acts per service and per host and hour; once tripped a person must reset it."""

from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.plan.proposal import Answer, Proposal, passed, refused

HOUR_S = 3600.0


def blast_radius(proposal: Proposal) -> Answer:
    limits = proposal.limits
    bounds = (limits.acts_per_hour_service, limits.acts_per_hour_host)
    needs = f"under {bounds[0]} disruptive acts an hour here, {bounds[1]} on the host"
    if proposal.strategy is None or not proposal.strategy.disruptive:
        return passed(GateName.BLAST_RADIUS, saw="interrupts nothing", needs=needs)
    since = proposal.situation.now - HOUR_S
    acts = [fix for fix in proposal.situation.past if fix.disruptive and fix.at >= since]
    here = sum(1 for fix in acts if proposal.service and fix.service == proposal.service.name)
    saw = f"{here} here, {len(acts)} on the host"
    tripped = proposal.situation.tripped
    if not tripped and here < limits.acts_per_hour_service and len(acts) < limits.acts_per_hour_host:
        return passed(GateName.BLAST_RADIUS, saw=saw, needs=needs)
    return refused(
        GateName.BLAST_RADIUS,
        RefusalReason.BLAST_RADIUS,
        saw=tripped or saw,
        needs=needs,
        message=f"the budget of disruptive acts is used up ({tripped or saw}); `autonomyctl resume` resets it",
        park=True,
    )
