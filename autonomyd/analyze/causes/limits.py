"""A bound that a person set is exceeded, a disk or a log grows, or the service runs by its fallback command."""

from autonomyd.analyze.causes.judge import certainly, undetermined
from autonomyd.model.diagnosis import Cause, Diagnosis, RankedCause
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
RETURN = 90.0


def limits(issue: Issue, situation: Situation) -> Diagnosis | None:
    service = situation.service
    if service is None or issue.type is not IssueType.RESOURCE_EXHAUSTION:
        return None
    if issue.metric not in service.exceeded:
        # a restart for another reason, or of the daemon, has begun the measurement anew
        return undetermined(issue, f"{issue.metric} is not known to be over its limit now")
    if issue.preventive:
        supports = (issue.summary, *issue.evidence)
        leaking = RankedCause(cause=Cause.LEAKING, confidence=EXCEEDED, supports=supports)
        return Diagnosis(subject=issue.subject, causes=(leaking,), signals=("near its limit", "rising steadily"))
    cause = CAUSES.get(issue.metric, Cause.LIMIT_EXCEEDED)
    # the bound is a person's own word, held for as long as the person asked for: that is proof, not a guess
    return certainly(issue, cause, EXCEEDED, signal="limit", supports=(issue.summary, *issue.evidence))


def logs(issue: Issue, situation: Situation) -> Diagnosis | None:
    """A log that is larger than it may be, or a nearly full disk with the service's logs on it."""
    if situation.service is None or not issue.metric.startswith("log."):
        return None
    if not situation.logs:
        return undetermined(issue, "no log that may be rotated is too large now")
    cause = Cause.LOG_DISK_FULL if issue.threshold is None else Cause.LOG_OUTGROWN
    sizes = tuple(f"{log.path} has {log.bytes / 1e6:.1f} MB" for log in situation.logs)
    return certainly(issue, cause, FILLING, signal="space", supports=(issue.summary, *sizes))


def disk(issue: Issue, situation: Situation) -> Diagnosis | None:
    if issue.type is not IssueType.RESOURCE_EXHAUSTION or not issue.subject.startswith(("disk:", "folder:")):
        return None
    cause = Cause.CONTAINER_SPACE if _only_containers_can_go(situation) else Cause.DISK_FILLING
    if issue.preventive:
        supports = (issue.summary, *issue.evidence)
        ranked = RankedCause(cause=cause, confidence=EXCEEDED, supports=supports)
        return Diagnosis(subject=issue.subject, causes=(ranked,), signals=("foretold", "rising steadily"))
    return certainly(issue, cause, FILLING, signal="space", supports=(issue.summary,))


def _only_containers_can_go(situation: Situation) -> bool:
    """No file of the allow-listed folders is left to remove, but ended containers or unused images are."""
    engine = situation.container
    files = situation.cleanup is not None and situation.cleanup.files
    return not files and engine is not None and bool(engine.removable or engine.unused_images)


def fallback(issue: Issue, situation: Situation) -> Diagnosis | None:
    service = situation.service
    if service is None or issue.metric != "fallback":
        return None
    if not service.fallback:
        return undetermined(issue, "it does not run by its fallback command now")
    if service.fallback_left_s > 0.0:
        return undetermined(issue, f"its own command is tried again in {service.fallback_left_s:.0f} s")
    return certainly(issue, Cause.FALLBACK_RUNS, RETURN, signal="fallback", supports=(issue.summary,))
