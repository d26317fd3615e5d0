"""What a judge is, and the answers that judges share."""

from collections.abc import Callable

from autonomyd.model.diagnosis import Cause, Diagnosis, RankedCause
from autonomyd.model.facts import CheckFacts, Situation
from autonomyd.model.issue import Issue

Judge = Callable[[Issue, Situation], Diagnosis | None]


def certainly(issue: Issue, cause: Cause, confidence: float, *, signal: str, supports: tuple[str, ...]) -> Diagnosis:
    """One cause, proven by one signal."""
    ranked = RankedCause(cause=cause, confidence=confidence, supports=supports)
    return Diagnosis(subject=issue.subject, causes=(ranked,), signals=(signal,), certain=True)


def undetermined(issue: Issue, note: str) -> Diagnosis:
    return Diagnosis(subject=issue.subject, note=note)


def in_words(check: CheckFacts) -> str:
    return f"{check.name}: {check.message} ({check.failures} in a row, for {check.failing_for_s:.1f} s)"


def failing_words(situation: Situation) -> tuple[str, ...]:
    checks = situation.service.checks if situation.service else ()
    return tuple(in_words(check) for check in checks if check.failing)
