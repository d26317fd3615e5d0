"""From an issue and the facts around it to ranked causes with evidence for and against.

Each kind of trouble has its judge in `causes/`. A judge names the independent signals it rests on: two checks of
different kinds, or a check and what the process itself shows. A process that is gone, or frozen by a signal, is
certain. What else is known (series, changes, logs, history) is put beside it in `causes/combined.py`.
"""

from autonomyd.analyze.causes.combined import combined
from autonomyd.analyze.causes.databases import databases
from autonomyd.analyze.causes.gone import gone
from autonomyd.analyze.causes.judge import Judge, certainly, failing_words, undetermined
from autonomyd.analyze.causes.limits import disk, fallback, limits, logs
from autonomyd.analyze.causes.slow import slow
from autonomyd.analyze.causes.unhealthy import unhealthy
from autonomyd.model.diagnosis import Cause, Diagnosis, RankedCause
from autonomyd.model.facts import Situation
from autonomyd.model.health import Severity
from autonomyd.model.issue import Issue
from autonomyd.model.service import RunState


def diagnose(issue: Issue, situation: Situation) -> Diagnosis:
    """The diagnosis; without causes when it is undetermined, with a note that says what is missing."""
    judged = (judge(issue, situation) for judge in JUDGES)
    first = next((found for found in judged if found is not None), None)
    return combined(issue, situation, first or undetermined(issue, _unexplained(issue)))


def _unexplained(issue: Issue) -> str:
    words = "no rule explains this"
    return words if issue.severity is Severity.NOTICE else f"{words}; a person should look"


def _custom(issue: Issue, situation: Situation) -> Diagnosis | None:
    if situation.custom_strategy is None:
        return None
    registered = ("a strategy is registered for this type",)
    return certainly(issue, Cause.CUSTOM, 100.0, signal="registered", supports=registered)


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


def _frozen(issue: Issue, situation: Situation) -> Diagnosis | None:
    service = situation.service
    if service is None or service.run is not RunState.FROZEN:
        return None
    supports = ("the process is stopped by a signal (state T)", *failing_words(situation))
    return certainly(issue, Cause.PROCESS_STOPPED, 98.0, signal="process", supports=supports)


JUDGES: tuple[Judge, ...] = (_custom, _parent, gone, _frozen, unhealthy, slow, logs, limits, disk, fallback, databases)
"""In this order: the first that has an answer gives it."""
