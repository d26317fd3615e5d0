"""Gate 10: a budget of disruptive acts per service and per host and hour; once tripped a person must reset it."""

from autonomyd.model.facts import Situation
from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.plan.proposal import Answer, Proposal, passed, refused

HOUR_S = 3600.0


def blast_radius(proposal: Proposal) -> Answer:
    """Within the budget only what interrupts is counted and held; a breaker that has tripped holds every act."""
    limits = proposal.limits
    bounds = (limits.acts_per_hour_service, limits.acts_per_hour_host)
    needs = f"under {bounds[0]} disruptive acts an hour here, {bounds[1]} on the host"
    tripped = proposal.situation.tripped
    if not tripped and (proposal.strategy is None or not proposal.strategy.disruptive):
        return passed(GateName.BLAST_RADIUS, saw="interrupts nothing", needs=needs)
    here, everywhere = acts_of_the_hour(proposal.situation)
    saw = f"{here} here, {everywhere} on the host"
    if not tripped and here < limits.acts_per_hour_service and everywhere < limits.acts_per_hour_host:
        return passed(GateName.BLAST_RADIUS, saw=saw, needs=needs)
    return refused(
        GateName.BLAST_RADIUS,
        RefusalReason.BLAST_RADIUS,
        saw=tripped or saw,
        needs=needs,
        message=f"the budget of disruptive acts is used up ({tripped or saw}); `autonomyctl resume` resets it",
        park=True,
    )


def acts_of_the_hour(situation: Situation) -> tuple[int, int]:
    """Disruptive acts of the last hour: on this service, on the host."""
    since = situation.now - HOUR_S
    acts = [fix for fix in situation.past if fix.disruptive and fix.at >= since]
    name = situation.service.name if situation.service else None
    return sum(1 for fix in acts if name is not None and fix.service == name), len(acts)
