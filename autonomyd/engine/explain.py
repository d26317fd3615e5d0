"""The whole story of one issue, for `autonomyctl explain`: what was seen, judged, asked, done, and what comes next."""

import time
from dataclasses import dataclass
from pathlib import Path

from autonomyd.engine.assembly import Parts
from autonomyd.engine.managed import ManagedService
from autonomyd.model.diagnosis import Diagnosis
from autonomyd.model.event import Event
from autonomyd.model.fix import Fix
from autonomyd.model.issue import Issue, IssueState, Transition
from autonomyd.model.plan import Plan, Refusal
from autonomyd.settings.control import ProcessControl


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`decision` is the newest one, with every gate; `kind` says whether it is a plan or a refusal."""

    issue: Issue
    diagnosis: Diagnosis | None
    decision: Plan | Refusal | None
    kind: str | None
    transitions: tuple[Transition, ...]
    fixes: tuple[Fix, ...]
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
    return Explanation(
        issue=issue,
        diagnosis=diagnosis,
        decision=decision,
        kind=None if decision is None else ("plan" if isinstance(decision, Plan) else "refusal"),
        transitions=await records.read(lambda: records.issues.transitions(issue_id), ()),
        fixes=tuple(fixes),
        why=_why(decision),
        next=_next(issue, decision),
    )


def _why(decision: Plan | Refusal | None) -> str:
    if decision is None:
        return "It has not been judged yet."
    if isinstance(decision, Refusal):
        return f"Nothing is done: {decision.message}."
    what = "; ".join(decision.preview) or decision.strategy
    return f"Cause: {decision.cause}. Chosen: {what} (confidence {decision.confidence:.0f}, every gate passed)."


def _next(issue: Issue, decision: Plan | Refusal | None) -> str:
    if issue.state is IssueState.RESOLVED:
        return "Nothing: it is resolved."
    if issue.state in (IssueState.FIXING, IssueState.VERIFYING):
        return "The fix is under way; new samples decide whether it helped."
    if issue.next_try_at is not None:
        return f"The next try comes at {time.strftime('%H:%M:%S', time.localtime(issue.next_try_at))}."
    if isinstance(decision, Refusal):
        return "It is judged again at every turn of the healing loop, and at once when something changes."
    return "It is judged at the next turn of the healing loop."


def event_line(event: Event) -> str:
    """One line of the daemon's diary, for people."""
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.at))
    by = "" if event.actor == "autonomyd" else f" [{event.actor}]"
    return f"{stamp} {event.subject} {event.kind}: {event.message}{by}"


def log_file_of(service: ManagedService, state_dir: Path) -> str | None:
    """The log of a service: the first that it names, else where its output goes."""
    if service.settings.logs:
        return service.settings.logs[0]
    control = service.settings.control
    if isinstance(control, ProcessControl):
        return control.stdout or str(state_dir / "logs" / f"{service.name}.log")
    return None
