"""The service answers, and slowly: it is overloaded, or it waits for something slow. No reason to restart."""

from autonomyd.analyze.causes.judge import in_words, undetermined
from autonomyd.analyze.causes.unhealthy import BUSY_CPU_PERCENT, OVERLOADED
from autonomyd.model.diagnosis import Cause, Diagnosis, RankedCause
from autonomyd.model.facts import Situation
from autonomyd.model.issue import Issue, IssueType


def slow(issue: Issue, situation: Situation) -> Diagnosis | None:
    service = situation.service
    if service is None or issue.type is not IssueType.HIGH_LATENCY:
        return None
    needed = tuple(check for check in service.checks if check.dependency and (check.failing or check.failures))
    if needed:
        words = (issue.summary, *map(in_words, needed))
        cause = RankedCause(cause=Cause.SLOW_DEPENDENCY, confidence=OVERLOADED, supports=words)
        return Diagnosis(subject=issue.subject, causes=(cause,), signals=("latency", needed[0].kind))
    cpu = service.cpu_percent
    if cpu is None or cpu < BUSY_CPU_PERCENT:
        return undetermined(issue, "it answers slowly without being busy, and nothing that it needs is known as slow")
    words = (issue.summary, f"CPU {cpu:.0f} % of a core")
    cause = RankedCause(cause=Cause.PROCESS_OVERLOADED, confidence=OVERLOADED, supports=words)
    return Diagnosis(subject=issue.subject, causes=(cause,), signals=("latency", "busy"))
