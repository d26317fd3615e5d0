"""Gate 1: paused, a maintenance window, or the service was stopped on purpose by a person (intent is respected)."""

from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.model.service import Intent
from autonomyd.plan.proposal import Answer, Proposal, passed, refused
from autonomyd.plan.windows import open_window

NEEDS = "not paused, no maintenance, and the service is wanted"


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
    opened = open_window(proposal.situation.windows, proposal.situation.wall_now)
    if opened is not None:
        window, end = opened
        minutes = (end - proposal.situation.wall_now) / 60.0
        why = f" ({window.reason})" if window.reason else ""
        return refused(
            GateName.PAUSED,
            RefusalReason.MAINTENANCE,
            saw=f"maintenance{why}",
            needs=NEEDS,
            message=f"a maintenance window is open for {minutes:.0f} min more{why}: nothing is healed until it ends",
            retry_at=end,
        )
    return passed(GateName.PAUSED, saw="running, wanted" if service else "running", needs=NEEDS)
