"""Gate 8: cooldown with exponential backoff and jitter that resets after healthy time, and the restart limit.

The same remedy waits longer each time that it did not last; another rung of the ladder waits for nothing. A service
that stayed well for `healthy_reset_s` starts anew; one that was well for a while is started at once, up to its limit.
"""

from autonomyd.model.facts import PastFix
from autonomyd.model.fix import Outcome
from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.model.words import counted, duration
from autonomyd.plan.proposal import Answer, Proposal, passed, refused


def cooldown(proposal: Proposal) -> Answer:
    limits = proposal.limits
    now = proposal.situation.now
    wall = proposal.situation.wall_now
    past = proposal.past_here
    mine = proposal.strategy.name if proposal.strategy is not None else None
    counts = (fix for fix in past if not fix.beside or fix.strategy == mine)
    recent = [fix for fix in counts if now - fix.at < limits.restart_within_s]
    span = duration(limits.restart_within_s)
    needs = f"cooled down, and under {limits.restart_max} fixes in {span}"
    if proposal.service is not None and len(recent) >= limits.restart_max:
        free_s = recent[-limits.restart_max].at + limits.restart_within_s - now
        wait_s = max(free_s, limits.park_retry_s)
        return refused(
            GateName.COOLDOWN,
            RefusalReason.RESTART_LIMIT,
            saw=f"{counted(len(recent), 'fix', 'fixes')} in {span}",
            needs=needs,
            message=f"it was fixed {counted(len(recent), 'time')} in {span} and broke again: restarting does not help, "
            "a person should look",
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
        return passed(GateName.COOLDOWN, saw=f"the wait of {duration(wait_s)} is over", needs=needs)
    return refused(
        GateName.COOLDOWN,
        RefusalReason.COOLDOWN,
        saw=f"{duration(left_s)} of {duration(wait_s)} left",
        needs=needs,
        message=f"try {len(troubled) + 1} comes in {duration(left_s)}: the one before did not last",
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
