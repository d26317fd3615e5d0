"""Gate 1: paused, or the service was stopped on purpose by a person (intent is respected)."""

from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.model.service import Intent
from autonomyd.plan.proposal import Answer, Proposal, passed, refused

NEEDS = "not paused, and the service is wanted"


def paused(proposal: Proposal) -> Answer:
    pause = proposal.situation.pause
    if pause.paused:
        why = f" ({pause.reason})" if pause.reason else ""
        return refused(
            GateName.PAUSED,
            RefusalReason.PAUSED,
            saw=f"paused{why}",
            needs=NEEDS,
            message=f"automation is paused{why}; `autonomyctl resume` ends that",
            retry_at=pause.until,
        )
    service = proposal.service
    if service is not None and service.intent is Intent.STOPPED:
        return refused(
            GateName.PAUSED,
            RefusalReason.INTENT,
            saw=f"{service.name} was stopped by a person",
            needs=NEEDS,
            message=f"{service.name} was stopped on purpose; `autonomyctl service start {service.name}` ends that",
        )
    return passed(GateName.PAUSED, saw="running, wanted" if service else "running", needs=NEEDS)
