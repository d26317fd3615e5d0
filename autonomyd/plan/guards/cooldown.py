"""Gate 8: cooldown with exponential backoff and jitter that resets after healthy time, and the restart limit.

The same remedy waits longer each time that it did not last; another rung of the ladder waits for nothing. A service
that stayed well for `healthy_reset_s` starts anew; one that was well for a while is started at once, up to its limit.
"""

from autonomyd.model.facts import PastFix
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
    wait_s = min(limits.cooldown_cap_s, limits.cooldown_first_s * limits.cooldown_factor ** min(len(troubled) - 1, 30))
    wait_s *= 0.9 + 0.2 * proposal.situation.luck
    left_s = troubled[0].at + wait_s - now
    if left_s <= 0:
        return passed(GateName.COOLDOWN, saw=f"{wait_s:.1f} s are over", needs=needs)
    return refused(
        GateName.COOLDOWN,
        RefusalReason.COOLDOWN,
        saw=f"{left_s:.1f} s of {wait_s:.1f} s left",
        needs=needs,
        message=f"try {len(troubled) + 1} comes in {left_s:.1f} s: the last fix did not last",
        retry_at=wall + left_s,
    )


def _in_a_row(proposal: Proposal) -> list[PastFix]:
    """The fixes by this remedy that did not last, newest first, back to the first fix of any kind that did."""
    limits = proposal.limits
    name = proposal.strategy.name if proposal.strategy is not None else None
    found: list[PastFix] = []
    later = proposal.situation.now
    for fix in reversed(proposal.past_here):
        lasted_s = later - fix.at
        if lasted_s >= limits.healthy_reset_s:
            break
        if fix.outcome is Outcome.HEALED and lasted_s >= limits.quick_death_s:
            break
        if name is None or fix.strategy == name:
            found.append(fix)
        later = fix.at
    return found
