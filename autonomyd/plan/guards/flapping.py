"""Beside gate 9: a service that goes down again and again is flapping. Each heal looks well, and the whole is not:
healing is suspended and a person is told once, instead of a restart every few minutes for ever."""

from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.model.words import counted
from autonomyd.plan.proposal import Answer, Proposal, passed, refused


def flapping(proposal: Proposal) -> Answer:
    """Counts what is more: how often it died unasked, or how often it was fixed."""
    limits = proposal.limits
    service = proposal.service
    span = f"{limits.flapping_within_s / 60:.0f} min"
    needs = f"fewer than {limits.flapping_max} falls in {span}"
    if service is None:
        return passed(GateName.FLAPPING, saw="no service", needs=needs)
    since = proposal.situation.now - limits.flapping_within_s
    deaths = sorted(at for at in service.deaths if at >= since)
    fixes = [fix.at for fix in proposal.past_here if fix.at >= since and not fix.beside]
    falls = max(deaths, fixes, key=len)
    saw = f"{counted(len(falls), 'fall')} in {span}"
    if len(falls) < limits.flapping_max:
        return passed(GateName.FLAPPING, saw=saw, needs=needs)
    free_s = falls[-limits.flapping_max] + limits.flapping_within_s - proposal.situation.now
    return refused(
        GateName.FLAPPING,
        RefusalReason.FLAPPING,
        saw=saw,
        needs=needs,
        message=f"{service.name} is flapping: it went down {len(falls)} times in {span}, though each time it came up "
        "again. Healing it is suspended; find out why it falls, then `autonomyctl resume`",
        retry_at=proposal.situation.wall_now + max(free_s, limits.park_retry_s),
        park=True,
    )
