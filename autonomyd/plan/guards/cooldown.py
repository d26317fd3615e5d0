"""Gate 8: cooldown with exponential backoff and jitter that resets after healthy time, and the restart limit.

A service that died soon after its last fix, or was not healed by it, waits longer each time. One that stayed well
for `healthy_reset_s` starts anew. One that was well for a while is started at once, up to its restart limit.
"""

from autonomyd.model.fix import Outcome
from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.plan.proposal import Answer, Proposal, passed, refused


def cooldown(proposal: Proposal) -> Answer:
    limits = proposal.limits
    now = proposal.situation.now
    wall = proposal.situation.wall_now
    past = proposal.past_here
    recent = [fix for fix in past if now - fix.at < limits.restart_within_s]
    needs = f"cooled down, and under {limits.restart_max} fixes in {limits.restart_within_s:.0f} s"
    if proposal.service is not None and len(recent) >= limits.restart_max:
        free_s = recent[-limits.restart_max].at + limits.restart_within_s - now
        wait_s = max(free_s, limits.park_retry_s)
        return refused(
            GateName.COOLDOWN,
            RefusalReason.RESTART_LIMIT,
            saw=f"{len(recent)} fixes in {limits.restart_within_s:.0f} s",
            needs=needs,
            message=f"it was fixed {len(recent)} times in {limits.restart_within_s:.0f} s and broke again: "
            "restarting does not help, a person should look",
            retry_at=wall + wait_s,
            park=True,
        )
    troubled = _in_a_row(proposal)
    if not troubled:
        return passed(GateName.COOLDOWN, saw="no wait", needs=needs)
    wait_s = min(limits.cooldown_cap_s, limits.cooldown_first_s * limits.cooldown_factor ** min(troubled - 1, 30))
    wait_s *= 0.9 + 0.2 * proposal.situation.luck
    left_s = past[-1].at + wait_s - now
    if left_s <= 0:
        return passed(GateName.COOLDOWN, saw=f"{wait_s:.1f} s are over", needs=needs)
    return refused(
        GateName.COOLDOWN,
        RefusalReason.COOLDOWN,
        saw=f"{left_s:.1f} s of {wait_s:.1f} s left",
        needs=needs,
        message=f"try {troubled + 1} comes in {left_s:.1f} s: the last fix did not last",
        retry_at=wall + left_s,
    )


def _in_a_row(proposal: Proposal) -> int:
    """How many of the newest fixes did not last, counted back to the first that did."""
    limits = proposal.limits
    count = 0
    later = proposal.situation.now
    for fix in reversed(proposal.past_here):
        lasted_s = later - fix.at
        if lasted_s >= limits.healthy_reset_s:
            break
        if fix.outcome is Outcome.HEALED and lasted_s >= limits.quick_death_s:
            break
        count += 1
        later = fix.at
    return count
