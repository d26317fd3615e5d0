"""Whether a prediction came true. A prevented failure is no wrong prediction: where a fix, a restart or a gap in the
data came between, it can't be told. Pure: what came, what was done and when nobody looked are given."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autonomyd.model.prediction import Prediction, PredictionKind, Verdict
from autonomyd.model.subject import Subject, service_of
from autonomyd.model.words import duration

BLIND_SHARE = 0.1
"""Of the time in question so much may have passed unseen; with more, that it did not come tells nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An issue that began at `at` (epoch seconds)."""

    at: float
    subject: Subject
    type: str
    metric: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something was done to `subject` at `at` (epoch seconds), by whomever: `words`."""

    at: float
    subject: Subject
    words: str


def means(prediction: Prediction, problem: Problem) -> bool:
    """Whether `problem` is what was foretold, whenever it began."""
    if prediction.subject != problem.subject:
        return False
    if prediction.kind is PredictionKind.EXHAUSTION:
        return prediction.metric == problem.metric
    return prediction.type is None or (prediction.type, prediction.metric) == (problem.type, problem.metric)


def foretold(prediction: Prediction, problem: Problem) -> bool:
    """Whether it was foretold for the time at which it began."""
    return means(prediction, problem) and prediction.made_at < problem.at <= prediction.until_at


def came(prediction: Prediction, at: float, now: float) -> Prediction:
    """What was foretold came at `at`: in its time, or sooner than any that was said."""
    if at < prediction.from_at:
        why = f"it came {duration(prediction.from_at - at)} sooner than the soonest that was said"
        return _judged(prediction, Verdict.WRONG, now, why, came_at=at)
    return _judged(prediction, Verdict.RIGHT, now, f"it came after {duration(at - prediction.made_at)}", came_at=at)


def settled(
    prediction: Prediction, now: float, *, deeds: Sequence[Deed], blind: Sequence[tuple[float, float]]
) -> Prediction:
    """As it stands at `now` (epoch seconds), when it has not come by then; `deeds` are those on its subject. What fills
    begins anew after a deed, so nothing can be told of it from then on; a failure may still come, and its time is
    waited for."""
    between = [each for each in deeds if prediction.made_at < each.at <= now]
    over = now >= prediction.until_at
    if between and (over or prediction.kind is PredictionKind.EXHAUSTION):
        return _judged(prediction, Verdict.VOID, now, f"{between[0].words} came between")
    if not over:
        return prediction
    unseen = sum(max(0.0, min(last, prediction.until_at) - max(first, prediction.made_at)) for first, last in blind)
    if unseen > BLIND_SHARE * (prediction.until_at - prediction.made_at):
        return _judged(prediction, Verdict.VOID, now, f"nobody looked for {duration(unseen)} of the time")
    return _judged(prediction, Verdict.WRONG, now, "it did not come")


def deed(at: float, service: str | None, subject: str, words: str) -> tuple[Deed, ...]:
    """What was done, to its service and to what it was about."""
    about = {Subject(subject)} if subject else set()
    if service is not None and service_of(Subject(subject)) != service:
        about.add(Subject(f"service:{service}"))
    return tuple(Deed(at=at, subject=each, words=words) for each in sorted(about))


def _judged(
    prediction: Prediction, verdict: Verdict, now: float, why: str, *, came_at: float | None = None
) -> Prediction:
    return replace(prediction, verdict=verdict, judged_at=now, why=why, came_at=came_at)
