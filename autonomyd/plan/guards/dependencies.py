"""Gate 11: the failed parent is healed first; its children wait. So does one whose parent has not been seen well since
it began to fail: the fault may be the parent's."""

from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.model.service import RunState
from autonomyd.plan.proposal import Answer, Proposal, passed, refused

LOOK_AGAIN_S = 0.5
"""The parent's next look tells; it is waited for, not for the next turn of the loop."""
NEEDS = "everything it depends on is up"


def dependencies(proposal: Proposal) -> Answer:
    service = proposal.service
    if service is not None and service.parents_down:
        names = ", ".join(service.parents_down)
        return refused(
            GateName.DEPENDENCIES,
            RefusalReason.PARENT_FAILED,
            saw=f"{names} is not up",
            needs=NEEDS,
            message=f"{service.name} waits for {names}, which must be up first",
        )
    # a process that is gone needs no other explanation: only what still runs may be innocent
    if service is not None and service.parents_unsure and service.run is not RunState.GONE:
        names = ", ".join(service.parents_unsure)
        return refused(
            GateName.DEPENDENCIES,
            RefusalReason.PARENT_FAILED,
            saw=f"{names} has not been seen well since",
            needs=NEEDS,
            message=f"whether {names} is well is not known yet; {service.name} waits for that",
            retry_at=proposal.situation.wall_now + LOOK_AGAIN_S,
        )
    return passed(GateName.DEPENDENCIES, saw="up" if service else "no service", needs=NEEDS)
