"""The whole story of one issue, for `autonomyctl explain`: what was seen, judged, asked, done, and what comes next."""

import math
import time
from dataclasses import dataclass
from functools import partial

from autonomyd.analyze.assessment import assess
from autonomyd.engine.parts import Parts
from autonomyd.engine.status import NOTICE_WORDS
from autonomyd.learn.confidence import ENOUGH_OUTCOMES
from autonomyd.model.diagnosis import Assessment, Diagnosis
from autonomyd.model.event import Event
from autonomyd.model.fix import Fix
from autonomyd.model.health import Severity
from autonomyd.model.issue import Issue, IssueState, Transition
from autonomyd.model.plan import Autonomy, Plan, Refusal
from autonomyd.model.subject import service_of, service_subject
from autonomyd.model.timeline import Coincidence
from autonomyd.model.trust import NOTHING_LEARNED, Experience

BESIDE_S = 60.0
"""Problems that are no further apart than this tell one story."""
RECENT = 20
FAINT = 10.0
"""A coincidence of less confidence explains nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`decision` is the newest one, with every gate; `kind` says whether it is a plan or a refusal. `learned` is how
    its strategy has fared against its cause here by now, `level` the most that it may still do (None: no fix chosen);
    `lessons` tells the same of every remedy that was tried, in words. `assessment` says what it means: whom it reaches,
    how hard its repair is; None for a notice, of which there is nothing to repair. `changes` are those that its begin
    may be due to, and those that came only after it. `related` are the other problems of the service, and of what it
    needs, within a minute of this one."""

    issue: Issue
    diagnosis: Diagnosis | None
    decision: Plan | Refusal | None
    kind: str | None
    transitions: tuple[Transition, ...]
    fixes: tuple[Fix, ...]
    learned: Experience | None
    level: Autonomy | None
    lessons: tuple[str, ...]
    assessment: Assessment | None
    changes: tuple[Coincidence, ...]
    related: tuple[Issue, ...]
    why: str
    next: str


async def explain(parts: Parts, issue_id: int) -> Explanation | None:
    """The story of issue `issue_id`; None when there is no such issue."""
    records = parts.records
    issue = parts.monitoring.book.get(issue_id) or await records.read(lambda: records.issues.get(issue_id), None)
    if issue is None:
        return None
    diagnosis = parts.healing.diagnoses.get(issue_id)
    decision = parts.healing.decisions.get(issue_id)
    if diagnosis is None or decision is None:
        for stored in await records.read(lambda: records.issues.newest(issue_id), []):
            if isinstance(stored.value, Diagnosis):
                diagnosis = diagnosis or stored.value
            else:
                decision = stored.value
    fixes: list[Fix] = await records.read(lambda: records.fixes.of_issue(issue_id), [])
    if diagnosis is None and issue.is_open:
        diagnosis = await parts.healing.look(issue)
    learned, level = _learned(parts, issue, diagnosis, decision)
    return Explanation(
        issue=issue,
        diagnosis=diagnosis,
        decision=decision,
        kind=None if decision is None else ("plan" if isinstance(decision, Plan) else "refusal"),
        transitions=await records.read(lambda: records.issues.transitions(issue_id), ()),
        fixes=tuple(fixes),
        learned=learned,
        level=level,
        lessons=_lessons(parts, fixes),
        assessment=await _assessed(parts, issue, diagnosis, decision),
        changes=tuple(
            each
            for each in parts.insight.timeline.about(issue.subject, issue.opened_at, issue=issue.id)
            if _tells(each)
        ),
        related=await _related(parts, issue),
        why=_why(issue, decision),
        next=_next(issue, decision),
    )


def _learned(
    parts: Parts, issue: Issue, diagnosis: Diagnosis | None, decision: Plan | Refusal | None
) -> tuple[Experience | None, Autonomy | None]:
    cause = diagnosis.cause.cause if diagnosis is not None and diagnosis.cause is not None else None
    strategy = decision.strategy if decision is not None else None
    if isinstance(decision, Plan):
        cause = decision.cause
    if cause is None or strategy is None:
        return None, None
    name = service_of(issue.subject) or ""
    found = parts.trust.learned(name).get((cause, strategy), NOTHING_LEARNED)
    return found, parts.trust.earned(name).get(strategy, Autonomy.ACT)


async def _assessed(
    parts: Parts, issue: Issue, diagnosis: Diagnosis | None, decision: Plan | Refusal | None
) -> Assessment | None:
    if issue.severity is Severity.NOTICE:
        return None
    cause = diagnosis.cause.cause if diagnosis is not None and diagnosis.cause is not None else None
    strategy = decision.strategy if decision is not None else None
    taken_s: list[float] = []
    if cause is not None and strategy is not None:
        taken_s = await parts.records.read(lambda: parts.records.fixes.repair_times(cause, strategy), [])
    return assess(issue, diagnosis, parts.insight.graph.graph(), strategy=strategy, taken_s=taken_s)


async def _related(parts: Parts, issue: Issue) -> tuple[Issue, ...]:
    """Oldest first; none for what is no service's."""
    service = parts.keeper.services.get(service_of(issue.subject) or "")
    if service is None:
        return ()
    found: list[Issue] = []
    for name in (service.name, *parts.insight.graph.graph().parents(service.name)):
        subject = service_subject(name)
        found += await parts.records.read(partial(parts.records.issues.recent, limit=RECENT, subject=subject), ())
    ended_at = issue.resolved_at or math.inf
    near = (
        each
        for each in found
        if each.id != issue.id
        and each.opened_at <= ended_at + BESIDE_S
        and (each.resolved_at or math.inf) >= issue.opened_at - BESIDE_S
    )
    return tuple(sorted(near, key=lambda each: each.id))


def _tells(found: Coincidence) -> bool:
    """Whether it is worth a line: likely enough, or evidence against."""
    return found.confidence >= FAINT or (not found.confidence and found.after_s < 0)


def _lessons(parts: Parts, fixes: list[Fix]) -> tuple[str, ...]:
    """One sentence a remedy that came to an end."""
    places = dict.fromkeys(
        (fix.plan.service or "", fix.plan.cause, fix.plan.strategy) for fix in fixes if fix.ended_at is not None
    )
    known = {service: parts.trust.learned(service) for service in {service for service, _, _ in places}}
    sentences = []
    for service, cause, strategy in places:
        found = known[service].get((cause, strategy))
        if found is not None and found.total:
            sentences.append(f"{strategy} against {cause.words}{f' on {service}' if service else ''}: {_fared(found)}")
    return tuple(sentences)


def _fared(found: Experience) -> str:
    words = f"{found.healed} of {found.total} healed"
    if found.quarantined_until is not None:
        until = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found.quarantined_until))
        return f"{words}; it is not tried again before {until}"
    if not found.points and found.total < ENOUGH_OUTCOMES:
        return f"{words}; from {ENOUGH_OUTCOMES} outcomes on, this moves its confidence"
    return f"{words}, which adds {found.points:+.1f} points to its confidence"


def _why(issue: Issue, decision: Plan | Refusal | None) -> str:
    if issue.severity is Severity.NOTICE:
        return f"It is {NOTICE_WORDS}."
    if decision is None:
        return "It has not been judged yet."
    if isinstance(decision, Refusal):
        verb = "was" if issue.state is IssueState.RESOLVED else "is"
        return f"Nothing {verb} done: {decision.message}."
    sure = f"confidence {decision.confidence:.0f} of 100, every gate passed"
    return f"Cause: {decision.cause.words}. Chosen: {decision.strategy} ({sure})."


def _next(issue: Issue, decision: Plan | Refusal | None) -> str:
    if issue.state is IssueState.RESOLVED:
        return "Nothing: it is resolved."
    if issue.severity is Severity.NOTICE:
        return "Nothing has to be done: it is closed by itself when it is over, or when a while has passed."
    if issue.state in (IssueState.FIXING, IssueState.VERIFYING):
        return "The fix is under way; new samples decide whether it helped."
    if issue.next_try_at is not None:
        given_up = issue.state is IssueState.PARKED
        return f"{'It was given up for now. ' if given_up else ''}It is tried again by itself."
    if isinstance(decision, Refusal):
        return "It is judged again at every turn of the healing loop, and at once when something changes."
    return "It is judged at the next turn of the healing loop."


def event_line(event: Event) -> str:
    """One line of the daemon's diary, for people."""
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.at))
    by = "" if event.actor == "autonomyd" else f" [{event.actor}]"
    return f"{stamp} {event.subject} {event.kind}: {event.message}{by}"
