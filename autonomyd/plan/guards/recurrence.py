"""Gate 9: healing loops. The same issue again within the window means that the remedy did not cure it."""

from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.model.words import counted
from autonomyd.plan.proposal import Answer, Proposal, issue_key, passed, refused


def recurrences(proposal: Proposal) -> int:
    """How often the same issue was fixed within the recurrence window."""
    key = issue_key(proposal.issue)
    since = proposal.situation.now - proposal.limits.recurrence_window_s
    return sum(1 for fix in proposal.situation.past if fix.issue_key == key and fix.at >= since)


def recurrence(proposal: Proposal) -> Answer:
    """A start of something dead interrupts nothing and is bounded by the restart limit alone; a remedy that
    interrupts is refused when it was tried as often as the restart limit allows and the issue came back each time."""
    limits = proposal.limits
    count = recurrences(proposal)
    needs = f"fewer than {limits.restart_max} recurrences in {limits.recurrence_window_s / 60:.0f} min"
    saw = f"{counted(count, 'time')} before" if count else "not before"
    if proposal.strategy is None or not proposal.strategy.disruptive or count < limits.restart_max:
        return passed(GateName.RECURRENCE, saw=saw, needs=needs)
    return refused(
        GateName.RECURRENCE,
        RefusalReason.HEALING_LOOP,
        saw=saw,
        needs=needs,
        message=f"this came back {counted(count, 'time')} after a fix: it is a healing loop, and a person should look",
        retry_at=proposal.situation.wall_now + limits.park_retry_s,
        park=True,
    )
