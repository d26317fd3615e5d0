"""Gate 11: the failed parent is healed first; its children wait."""

from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.plan.proposal import Answer, Proposal, passed, refused

NEEDS = "everything it depends on is up"


def dependencies(proposal: Proposal) -> Answer:
    service = proposal.service
    if service is None or not service.parents_down:
        return passed(GateName.DEPENDENCIES, saw="up" if service else "no service", needs=NEEDS)
    names = ", ".join(service.parents_down)
    return refused(
        GateName.DEPENDENCIES,
        RefusalReason.PARENT_FAILED,
        saw=f"{names} is not up",
        needs=NEEDS,
        message=f"{names} is healed first; {service.name} follows",
    )
