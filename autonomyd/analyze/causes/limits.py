"""A bound that a person set is exceeded, or a disk fills."""

from autonomyd.analyze.causes.judge import certainly, undetermined
from autonomyd.model.diagnosis import Cause, Diagnosis
from autonomyd.model.facts import Situation
from autonomyd.model.issue import Issue, IssueType

CAUSES = {
    "rss_mb": Cause.MEMORY_LEAK,
    "fds": Cause.DESCRIPTOR_LEAK,
    "zombies": Cause.ZOMBIES,
    "cpu_percent": Cause.RUNAWAY,
}
EXCEEDED = 90.0
FILLING = 95.0


def limits(issue: Issue, situation: Situation) -> Diagnosis | None:
    service = situation.service
    if service is None or issue.type is not IssueType.RESOURCE_EXHAUSTION:
        return None
    if issue.metric not in service.exceeded:
        # a restart for another reason, or of the daemon, has begun the measurement anew
        return undetermined(issue, f"{issue.metric} is not known to be over its limit now")
    cause = CAUSES.get(issue.metric, Cause.LIMIT_EXCEEDED)
    # the bound is a person's own word, held for as long as the person asked for: that is proof, not a guess
    return certainly(issue, cause, EXCEEDED, signal="limit", supports=(issue.summary, *issue.evidence))


def disk(issue: Issue, situation: Situation) -> Diagnosis | None:
    if issue.type is not IssueType.RESOURCE_EXHAUSTION or not issue.subject.startswith(("disk:", "folder:")):
        return None
    return certainly(issue, Cause.DISK_FILLING, FILLING, signal="space", supports=(issue.summary,))
