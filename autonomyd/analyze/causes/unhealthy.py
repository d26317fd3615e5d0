"""The process lives and its checks fail: hung, wrong, overloaded, without what it needs, or changed for the worse.

Signals are independent observations: checks of different kinds, idleness while it is asked for work, persistence, a
change since it was last verified healthy. "Overloaded" is not "dead": a process that works is not restarted."""

from dataclasses import dataclass, replace

from autonomyd.analyze.causes.changed import SUSPECT, changed_causes
from autonomyd.analyze.causes.judge import certainly, in_words, undetermined
from autonomyd.model.diagnosis import Cause, Diagnosis, RankedCause
from autonomyd.model.facts import CheckFacts, ServiceFacts, Situation
from autonomyd.model.issue import Issue, IssueType
from autonomyd.model.service import ServiceState

IDLE_CPU_PERCENT = 2.0
BUSY_CPU_PERCENT = 50.0
BUSY_DOUBT = 15.0
"""Points that being busy takes from the confidence that a process hangs."""
CERTIFICATE = 90.0
OVERLOADED = 86.0
"""Sure enough for what is declared against overload (a number that may be tuned); no restart is."""
PERSISTS_FACTOR = 3
"""A check that failed this many times as often as it takes to count is a signal of its own: it is not a hiccup."""
CHANGED_DOUBT = 4.0
"""Points by which the process itself is less likely than what was changed under it."""
MANY_LINES = 3
"""Matching log lines that are a signal of their own: one line may be anything."""
CHECK_CAUSES = {
    "log": Cause.ERRORS_IN_LOG,
    "heartbeat": Cause.STALE_HEARTBEAT,
    "container": Cause.CONTAINER_BROKEN,
}
"""What a check tells that does not ask the service for work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """The failing checks, and what else was observed."""

    service: ServiceFacts
    failing: tuple[CheckFacts, ...]
    signals: tuple[str, ...]
    supports: tuple[str, ...]
    contradicts: tuple[str, ...]

    @property
    def busy(self) -> bool:
        cpu = self.service.cpu_percent
        return cpu is not None and cpu >= BUSY_CPU_PERCENT


def unhealthy(issue: Issue, situation: Situation) -> Diagnosis | None:
    service = situation.service
    if service is None or issue.type is not IssueType.SERVICE_UNHEALTHY:
        return None
    failing = tuple(check for check in service.checks if check.failing and check.known)
    if not failing and any(check.failing for check in service.checks):
        return undetermined(issue, "the checks that failed can't tell at the moment")
    if not failing:
        return undetermined(issue, "no check fails at the moment")
    if service.stopped:
        return undetermined(issue, "its process is stopped by a signal, perhaps for a moment only")
    if service.state is ServiceState.STARTING:
        return undetermined(issue, "it is still starting")
    explained = _log_disk(issue, situation, service) or _dependency(issue, failing)
    return explained or _own(issue, situation, _seen(service, situation, failing))


def _log_disk(issue: Issue, situation: Situation, service: ServiceFacts) -> Diagnosis | None:
    # one look is enough beside what fails already: how full a disk is does not come and go
    full = [check for check in service.checks if check.kind == "mount" and check.known and check.failures]
    if not full or not situation.logs:
        return None
    logs = tuple(f"{log.path} has {log.bytes / 1e6:.1f} MB" for log in situation.logs)
    supports = (*map(in_words, full), *logs)
    return certainly(issue, Cause.LOG_DISK_FULL, 95.0, signal="space", supports=supports)


def _dependency(issue: Issue, failing: tuple[CheckFacts, ...]) -> Diagnosis | None:
    """What it needs does not work: restarting the innocent would only make it worse."""
    needed = [check for check in failing if check.dependency]
    if not needed:
        return None
    cause = RankedCause(cause=Cause.DEPENDENCY_FAILED, confidence=90.0, supports=tuple(map(in_words, needed)))
    return Diagnosis(subject=issue.subject, causes=(cause,), signals=tuple(sorted({each.kind for each in needed})))


def _seen(service: ServiceFacts, situation: Situation, failing: tuple[CheckFacts, ...]) -> _Seen:
    # what only stands beside the service (a certificate, a file) tells nothing of its process
    signals = sorted({each.kind for each in failing if each.asks or each.about_service or each.kind in CHECK_CAUSES})
    supports = [in_words(check) for check in failing]
    passing = [each for each in service.checks if each.known and not each.failures]
    contradicts = [f"check {each.name} passes" for each in passing]
    cpu = service.cpu_percent
    if cpu is not None and cpu < IDLE_CPU_PERCENT and any(check.asks for check in failing):
        # a quiet service is idle too: only beside a check that asks it for work does that mean something
        signals.append("idle")
        supports.append(f"it does no work while it is asked (CPU {cpu:.1f} %)")
    elif cpu is not None and cpu >= BUSY_CPU_PERCENT:
        contradicts.append(f"it is working (CPU {cpu:.0f} %): perhaps overloaded, not hung")
    if any(check.kind == "heartbeat" for check in failing):
        signals.append("silence")  # its age is over the bound: the process has kept silent for all that time
    lasting = [check for check in failing if check.about_service and not check.recalls]
    if any(check.failures >= PERSISTS_FACTOR * check.needed for check in lasting):
        signals.append("persistence")
        supports.append(f"it has not worked for {service.failing_for_s:.1f} s")
    lines = sum(each.count for each in situation.log_errors)
    if lines >= MANY_LINES:
        signals.append("repetition")
        supports.append(f"{lines} lines of its log match, such as: {situation.log_errors[0].example}")
    return _Seen(
        service=service,
        failing=failing,
        signals=tuple(signals),
        supports=tuple(supports),
        contradicts=tuple(contradicts),
    )


def _own(issue: Issue, situation: Situation, seen: _Seen) -> Diagnosis:
    main = _main_cause(situation, seen)
    if main is None:
        return undetermined(issue, "what fails is not the service itself, and no remedy is known for it")
    causes = [main]
    signals = seen.signals
    changed = [cause for cause in changed_causes(situation) if cause.confidence >= SUSPECT]
    if changed:
        # it worked before the change: with the old state back it does so again, a restart alone would not help
        doubted = replace(main, confidence=min(main.confidence, SUSPECT - CHANGED_DOUBT))
        causes = [*changed, doubted]
        signals = (*signals, "changed")
    if seen.busy:
        causes.append(_overloaded(seen))
        signals = (*signals, "busy")
    ranked = tuple(sorted(causes, key=lambda cause: -cause.confidence))
    return Diagnosis(subject=issue.subject, causes=ranked, signals=signals)


def _main_cause(situation: Situation, seen: _Seen) -> RankedCause | None:
    """What the failing checks themselves speak for; None when none of them is about the service."""
    from_log = next((each.cause for each in situation.log_errors if each.cause is not None), None)
    of_work = [check for check in seen.failing if check.asks or check.about_service]
    named = [CHECK_CAUSES[check.kind] for check in seen.failing if check.kind in CHECK_CAUSES]
    confidence = min(95.0, 80.0 + 6.0 * len(seen.signals))
    bare = RankedCause(
        cause=Cause.PROCESS_HUNG, confidence=confidence, supports=seen.supports, contradicts=seen.contradicts
    )
    asked = [check for check in seen.failing if check.asks]
    if named and not asked:
        return replace(bare, cause=from_log or named[0])
    if not of_work and any(check.kind == "certificate" for check in seen.failing):
        return replace(bare, cause=Cause.CERTIFICATE_EXPIRING, confidence=CERTIFICATE)
    if not of_work:
        return None
    wrong = bool(asked) and all(check.answered for check in asked)
    return replace(
        bare,
        cause=from_log or (Cause.WRONG_ANSWERS if wrong else Cause.PROCESS_HUNG),
        confidence=confidence - (BUSY_DOUBT if seen.busy else 0.0),
    )


def _overloaded(seen: _Seen) -> RankedCause:
    persists = "persistence" in seen.signals
    return RankedCause(
        cause=Cause.PROCESS_OVERLOADED,
        confidence=OVERLOADED,
        supports=(f"CPU {seen.service.cpu_percent or 0.0:.0f} % of a core while checks fail",),
        contradicts=(f"nothing was answered for {seen.service.failing_for_s:.0f} s",) if persists else (),
    )
