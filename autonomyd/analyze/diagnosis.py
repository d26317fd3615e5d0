"""From an issue and the facts around it to ranked causes with evidence for and against.

Each cause has one small judge below. A judge names the independent signals it rests on: two checks of different
kinds, or a check and what the process itself shows. A process that is gone, or frozen by a signal, is certain.
"""

from collections.abc import Callable

from autonomyd.model.diagnosis import Cause, Diagnosis, RankedCause
from autonomyd.model.facts import Situation
from autonomyd.model.issue import Issue, IssueType
from autonomyd.model.service import RunState, ServiceState

IDLE_CPU_PERCENT = 2.0
BUSY_CPU_PERCENT = 50.0
BUSY_DOUBT = 15.0
"""Points that being busy takes from the confidence that a process hangs."""
PERSISTS_FACTOR = 3
"""A check that failed this many times as often as it takes to count is a signal of its own: it is not a hiccup."""

Judge = Callable[[Issue, Situation], Diagnosis | None]


def diagnose(issue: Issue, situation: Situation) -> Diagnosis:
    """The diagnosis; without causes when it is undetermined, with a note that says what is missing."""
    for judge in (_custom, _parent, _gone, _frozen, _hung, _limits, _disk):
        found = judge(issue, situation)
        if found is not None:
            return found
    return Diagnosis(subject=issue.subject, note="no rule explains this; a person should look")


def _custom(issue: Issue, situation: Situation) -> Diagnosis | None:
    if situation.custom_strategy is None:
        return None
    cause = RankedCause(cause=Cause.CUSTOM, confidence=100.0, supports=("a strategy is registered for this type",))
    return Diagnosis(subject=issue.subject, causes=(cause,), signals=("registered",), certain=True)


def _parent(issue: Issue, situation: Situation) -> Diagnosis | None:
    service = situation.service
    if service is None or not service.parents_down:
        return None
    if service.run is RunState.GONE:
        return None  # its own process is gone: that has a cause of its own; the gate still holds it for its parent
    names = ", ".join(service.parents_down)
    supports = (f"it depends on {names}, which is not up",)
    cause = RankedCause(cause=Cause.PARENT_FAILED, confidence=90.0, supports=supports)
    return Diagnosis(subject=issue.subject, causes=(cause,), signals=("dependency",))


def _gone(issue: Issue, situation: Situation) -> Diagnosis | None:
    service = situation.service
    if service is None or service.run is not RunState.GONE:
        return None
    cause = RankedCause(cause=Cause.PROCESS_GONE, confidence=99.0, supports=(service.run_message or "no process runs",))
    return Diagnosis(subject=issue.subject, causes=(cause,), signals=("process",), certain=True)


def _frozen(issue: Issue, situation: Situation) -> Diagnosis | None:
    service = situation.service
    if service is None or service.run is not RunState.FROZEN:
        return None
    supports = ("the process is stopped by a signal (state T)", *_failing_words(situation))
    cause = RankedCause(cause=Cause.PROCESS_STOPPED, confidence=98.0, supports=supports)
    return Diagnosis(subject=issue.subject, causes=(cause,), signals=("process",), certain=True)


def _hung(issue: Issue, situation: Situation) -> Diagnosis | None:
    service = situation.service
    if service is None or issue.type is not IssueType.SERVICE_UNHEALTHY:
        return None
    failing = [check for check in service.checks if check.failing and check.known]
    if not failing and any(check.failing for check in service.checks):
        return Diagnosis(subject=issue.subject, note="the checks that failed can't tell at the moment")
    if not failing:
        return Diagnosis(subject=issue.subject, note="no check fails at the moment")
    signals = sorted({check.kind for check in failing})
    supports = list(_failing_words(situation))
    contradicts = [f"check {check.name} passes" for check in service.checks if check.known and not check.failing]
    cpu = service.cpu_percent
    persists = any(check.failures >= PERSISTS_FACTOR * check.needed for check in failing if check.about_service)
    asked = any(check.asks for check in failing)
    if service.state is ServiceState.STARTING:
        return Diagnosis(subject=issue.subject, note="it is still starting")
    if asked and cpu is not None and cpu < IDLE_CPU_PERCENT:
        # a quiet service is idle too: only beside a check that asks it for work does that mean something
        signals.append("idle")
        supports.append(f"it does no work while it is asked (CPU {cpu:.1f} %)")
    elif cpu is not None and cpu >= BUSY_CPU_PERCENT:
        contradicts.append(f"it is working (CPU {cpu:.0f} %): perhaps overloaded, not hung")
    if persists:
        signals.append("persistence")
        supports.append(f"it has not answered for {service.failing_for_s:.0f} s")
    doubt = BUSY_DOUBT if cpu is not None and cpu >= BUSY_CPU_PERCENT else 0.0
    hung = RankedCause(
        cause=Cause.PROCESS_HUNG,
        confidence=min(95.0, 80.0 + 6.0 * len(signals)) - doubt,
        supports=tuple(supports),
        contradicts=tuple(contradicts),
    )
    if cpu is None or cpu < BUSY_CPU_PERCENT:
        return Diagnosis(subject=issue.subject, causes=(hung,), signals=tuple(signals))
    overloaded = RankedCause(
        cause=Cause.PROCESS_OVERLOADED,
        confidence=75.0,
        supports=(f"CPU {cpu:.0f} % of a core while checks fail",),
        contradicts=() if not persists else (f"nothing was answered for {service.failing_for_s:.0f} s",),
    )
    ranked = sorted((hung, overloaded), key=lambda cause: -cause.confidence)
    return Diagnosis(subject=issue.subject, causes=tuple(ranked), signals=tuple(signals))


def _limits(issue: Issue, situation: Situation) -> Diagnosis | None:
    service = situation.service
    if service is None or issue.type is not IssueType.RESOURCE_EXHAUSTION:
        return None
    if issue.metric not in service.exceeded:
        # a restart for another reason, or of the daemon, has begun the measurement anew
        return Diagnosis(subject=issue.subject, note=f"{issue.metric} is not known to be over its limit now")
    cause = RankedCause(cause=Cause.LIMIT_EXCEEDED, confidence=90.0, supports=(issue.summary, *issue.evidence))
    # the bound is a person's own word, held for as long as the person asked for: that is proof, not a guess
    return Diagnosis(subject=issue.subject, causes=(cause,), signals=("limit",), certain=True)


def _disk(issue: Issue, situation: Situation) -> Diagnosis | None:
    if issue.type is not IssueType.RESOURCE_EXHAUSTION or not issue.subject.startswith(("disk:", "folder:")):
        return None
    cause = RankedCause(cause=Cause.DISK_FILLING, confidence=95.0, supports=(issue.summary,))
    return Diagnosis(subject=issue.subject, causes=(cause,), signals=("space",), certain=True)


def _failing_words(situation: Situation) -> tuple[str, ...]:
    checks = situation.service.checks if situation.service else ()
    return tuple(f"{check.name}: {check.message} ({check.failures} in a row)" for check in checks if check.failing)
