"""All that speaks for and against the causes, put together once a judge has spoken: series that moved (suspects),
changes in time, dependencies, logs, and what was done before.

What is certain stays as it is. A judged cause gets its evidence, and the confidence that outcomes have shown to be
true, never a higher one. What no judge could explain gets hypotheses: independent kinds of evidence for one cause add
up as a noisy OR does (Pearl, Probabilistic Reasoning in Intelligent Systems, 1988, section 4.3.2), always below what
lets anything be done on them alone: they tell people where to look."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from autonomyd.model.diagnosis import Cause, Diagnosis, RankedCause, Suspect
from autonomyd.model.facts import Situation
from autonomyd.model.fix import Outcome
from autonomyd.model.issue import Issue, IssueType
from autonomyd.model.subject import HOST, Subject, service_of
from autonomyd.model.timeline import ChangeKind
from autonomyd.model.trust import Calibration

OPEN_ENDED = frozenset(
    {
        IssueType.HIGH_LATENCY,
        IssueType.HIGH_ERROR_RATE,
        IssueType.LOW_AVAILABILITY,
        IssueType.PERFORMANCE_DEGRADATION,
        IssueType.ANOMALY,
    }
)
"""Issues that tell a symptom and may have many causes."""
LIKELY = 30.0
"""Points below which a hypothesis, or its evidence, is not worth a word."""
MOST = 75.0
BELOW_GATE = 11.0
"""Points that a hypothesis stays below what lets the daemon act: experience adds 10 at the most."""
SERIES_TELL = 0.7
"""How far the share of suspicion is taken at its word: moving together is not causing."""
LOGS_TELL = 0.8
MOST_HYPOTHESES = 3
CALIBRATED_FROM = 20
"""Outcomes of one bin of confidence that are enough to correct what is said."""
IMAGINED = 10.0
"""Outcomes, all as said, that the observed ones are mixed with."""
BY_ITSELF = frozenset({ChangeKind.FIX, ChangeKind.RESTART, ChangeKind.DAEMON})
"""What this daemon or a restart did is no cause from outside."""
CHANGED: dict[ChangeKind, Cause] = {
    ChangeKind.CONFIG: Cause.CONFIG_CHANGED,
    ChangeKind.RELEASE: Cause.RELEASE_CHANGED,
    ChangeKind.PACKAGE: Cause.VERSION_MISMATCH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    """One observation for a cause. `signal` names its kind: two of one kind count once. `points` 0..100."""

    cause: Cause
    signal: str
    points: float
    words: str


def combined(issue: Issue, situation: Situation, judged: Diagnosis) -> Diagnosis:
    """The diagnosis with all evidence. `judged` is what the judges said."""
    found = replace(judged, suspects=situation.suspects)
    if judged.certain:
        return found
    if judged.causes:
        causes = tuple(_calibrated(_with_evidence(each, issue, situation), situation) for each in judged.causes)
        return replace(found, causes=causes)
    if issue.type not in OPEN_ENDED:
        return found
    evidence = [*_of_series(issue, situation), *_of_changes(situation), *_of_logs(situation)]
    causes = _hypotheses(evidence, least=LIKELY, most=min(MOST, situation.limits.confidence - BELOW_GATE))
    signals = tuple(dict.fromkeys(each.signal for each in evidence if causes and each.cause is causes[0].cause))
    return replace(found, causes=causes, signals=signals)


def _hypotheses(evidence: list[_Evidence], *, least: float, most: float) -> tuple[RankedCause, ...]:
    """Causes by what speaks for them, the likeliest first; each has what speaks for the others against it."""
    by_cause: dict[Cause, list[_Evidence]] = {}
    for each in evidence:
        by_cause.setdefault(each.cause, []).append(each)
    ranked = sorted(((_noisy_or(of), cause) for cause, of in by_cause.items()), reverse=True)
    kept = [(points, cause) for points, cause in ranked if points >= least][:MOST_HYPOTHESES]
    return tuple(
        RankedCause(
            cause=cause,
            confidence=math.floor(10.0 * min(most, points)) / 10.0,
            supports=tuple(each.words for each in by_cause[cause]),
            contradicts=tuple(each.words for _, other in kept if other is not cause for each in by_cause[other][:1]),
        )
        for points, cause in kept
    )


def _noisy_or(evidence: list[_Evidence]) -> float:
    """0..100: the chance that not all of it misleads. Of one kind only the strongest counts."""
    best: dict[str, float] = {}
    for each in evidence:
        best[each.signal] = max(best.get(each.signal, 0.0), each.points)
    missed = 1.0
    for points in best.values():
        missed *= 1.0 - min(100.0, max(0.0, points)) / 100.0
    return 100.0 * (1.0 - missed)


def _of_series(issue: Issue, situation: Situation) -> Iterator[_Evidence]:
    for each in situation.suspects:
        cause = _cause_of(each, issue)
        points = SERIES_TELL * each.share
        if cause is not None and points >= LIKELY:
            yield _Evidence(cause=cause, signal="series", points=points, words=each.words)


def _cause_of(suspect: Suspect, issue: Issue) -> Cause | None:
    """What a suspect would mean for the issue; None when it is the symptom itself, or means nothing yet."""
    if suspect.subject == HOST:
        return Cause.HOST_STRAINED if suspect.kind == "resource" and suspect.rising else None
    if suspect.kind == "traffic":
        return Cause.MORE_LOAD if suspect.rising else None
    if suspect.subject == issue.subject or service_of(suspect.subject) is None:
        return None
    slow = suspect.kind in ("latency", "resource") and suspect.rising
    return Cause.SLOW_DEPENDENCY if slow else Cause.DEPENDENCY_FAILED


def _of_changes(situation: Situation) -> Iterator[_Evidence]:
    for each in situation.changes:
        cause = CHANGED.get(each.change.kind)
        if cause is not None and each.confidence >= LIKELY:
            yield _Evidence(cause=cause, signal="changed", points=each.confidence, words=each.why)


def _of_logs(situation: Situation) -> Iterator[_Evidence]:
    for each in situation.log_errors:
        points = LOGS_TELL * each.confidence
        if each.cause is not None and points >= LIKELY:
            words = f"{each.count} lines of its log match {each.rule}, such as: {each.example}"
            yield _Evidence(cause=each.cause, signal="log", points=points, words=words)


def _with_evidence(cause: RankedCause, issue: Issue, situation: Situation) -> RankedCause:
    """The cause with what else is known for and against it, each line once."""
    supports, contradicts = list(cause.supports), list(cause.contradicts)
    changed = cause.cause in CHANGED.values()
    for change in situation.changes:
        if change.confidence < LIKELY or change.change.kind in BY_ITSELF or change.why in supports:
            continue
        if CHANGED.get(change.change.kind) is cause.cause:
            supports.append(change.why)
        elif not changed:
            contradicts.append(f"{change.why}: perhaps that is the cause")
    for suspect in situation.suspects:
        if suspect.share < LIKELY:
            continue
        if _cause_of(suspect, issue) is cause.cause or suspect.subject == issue.subject:
            supports.append(suspect.words)
        elif not changed:
            contradicts.append(suspect.words)
    supports += _history(cause.cause, issue.subject, situation)
    against = tuple(line for line in dict.fromkeys(contradicts) if line not in supports)
    return replace(cause, supports=tuple(dict.fromkeys(supports)), contradicts=against)


def _history(cause: Cause, subject: Subject, situation: Situation) -> Iterator[str]:
    """What became of fixes against the same cause here."""
    name = service_of(subject)
    past = [fix for fix in situation.past if fix.cause is cause and fix.service == name and fix.outcome is not None]
    healed = sum(fix.outcome is Outcome.HEALED for fix in past)
    if healed:
        yield f"it has been the cause here before: {healed} of {len(past)} fixes against it healed"


def _calibrated(cause: RankedCause, situation: Situation) -> RankedCause:
    """Its confidence as it has turned out to be true, where that is less than what is said."""
    found = observed(situation.calibration, cause.confidence)
    if found is None or found >= cause.confidence:
        return cause
    words = f"what was said with {cause.confidence:.0f} of 100 has been right less often: {found:.0f} is nearer"
    return replace(cause, confidence=round(found, 1), contradicts=(*cause.contradicts, words))


def observed(calibration: Calibration | None, said: float) -> float | None:
    """What a confidence of `said` (0..100) has been worth: the share of right ones in its bin, mixed with IMAGINED ones
    that are as said. None with fewer than CALIBRATED_FROM outcomes."""
    bins = calibration.bins if calibration is not None else ()
    own = next((each for each in bins if each.low <= said < each.high or said == each.high == 100.0), None)
    if own is None or own.count < CALIBRATED_FROM:
        return None
    return 100.0 * (own.right + IMAGINED * said / 100.0) / (own.count + IMAGINED)
