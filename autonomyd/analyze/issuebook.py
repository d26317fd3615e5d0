"""Findings to issues: one issue per (type, subject, metric), with its state machine. Pure: times and ids come in."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from autonomyd.model.issue import Finding, Issue, IssueState, IssueType, Transition
from autonomyd.model.subject import Subject

ALLOWED: dict[IssueState, frozenset[IssueState]] = {
    IssueState.OPEN: frozenset({IssueState.DIAGNOSED, IssueState.RESOLVED, IssueState.MUTED}),
    IssueState.DIAGNOSED: frozenset(
        {IssueState.PLANNED, IssueState.REFUSED, IssueState.PARKED, IssueState.RESOLVED, IssueState.MUTED}
    ),
    IssueState.PLANNED: frozenset({IssueState.FIXING, IssueState.DIAGNOSED, IssueState.RESOLVED, IssueState.MUTED}),
    IssueState.REFUSED: frozenset({IssueState.DIAGNOSED, IssueState.PARKED, IssueState.RESOLVED, IssueState.MUTED}),
    IssueState.FIXING: frozenset({IssueState.VERIFYING, IssueState.DIAGNOSED, IssueState.PARKED}),
    IssueState.VERIFYING: frozenset({IssueState.RESOLVED, IssueState.DIAGNOSED, IssueState.PARKED}),
    IssueState.PARKED: frozenset({IssueState.DIAGNOSED, IssueState.RESOLVED, IssueState.MUTED}),
    IssueState.MUTED: frozenset({IssueState.DIAGNOSED, IssueState.RESOLVED}),
    IssueState.RESOLVED: frozenset(),
}
"""From each state, where an issue may go. A fix under way keeps its issue until it has been verified."""

NEWS_SHARE = 0.05
SHORT_WAIT_S = 60.0

Key = tuple[IssueType, Subject, str]
Listener = Callable[[Issue, Transition | None], None]


class WrongTransition(ValueError):  # noqa: N818 - the name says what is wrong
    """The issue can't go there from where it is."""


class IssueBook:
    """The open issues. `listen` hears every change: (issue as it is now, the transition or None for a refresh)."""

    def __init__(self, *, next_id: Callable[[], int], listen: Listener) -> None:
        self._next_id = next_id
        self._listen = listen
        self._open: dict[Key, Issue] = {}
        self.resolved_count = 0

    def restore(self, issues: Iterable[Issue]) -> None:
        """Take back the open issues of the last run."""
        self._open = {issue.key: issue for issue in issues if issue.is_open}

    def open_issues(self) -> tuple[Issue, ...]:
        return tuple(self._open.values())

    def get(self, issue_id: int) -> Issue | None:
        return next((issue for issue in self._open.values() if issue.id == issue_id), None)

    def find(self, key: Key) -> Issue | None:
        return self._open.get(key)

    def of_subject(self, subject: Subject) -> tuple[Issue, ...]:
        return tuple(issue for issue in self._open.values() if issue.subject == subject)

    def report(self, finding: Finding, *, wall_now: float) -> tuple[Issue, bool]:
        """Open an issue, or refresh the one that is open; says whether it is new."""
        key = (finding.type, finding.subject, finding.metric)
        known = self._open.get(key)
        if known is not None:
            return self._refresh(known, finding, wall_now), False
        issue = Issue(
            id=self._next_id(),
            type=finding.type,
            subject=finding.subject,
            metric=finding.metric,
            severity=finding.severity,
            state=IssueState.OPEN,
            summary=finding.summary,
            opened_at=wall_now,
            updated_at=wall_now,
            evidence=finding.evidence,
            value=finding.value,
            threshold=finding.threshold,
            certain=finding.certain,
        )
        self._open[key] = issue
        opened = Transition(at=wall_now, before="", after=issue.state, cause=issue.summary, actor="autonomyd")
        self._listen(issue, opened)
        return issue, True

    def move(self, issue: Issue, state: IssueState, *, cause: str, wall_now: float, actor: str = "autonomyd") -> Issue:
        """Bring `issue` to `state`. Raises WrongTransition when the state machine forbids it, or when the issue is
        no longer open (another one of the same key is not it)."""
        current = self._open.get(issue.key)
        if current is None or current.id != issue.id:
            raise WrongTransition(f"issue {issue.id} is no longer open; it can't go to {state}")
        issue = current
        if state is issue.state:
            return issue
        if state not in ALLOWED[issue.state]:
            raise WrongTransition(f"issue {issue.id} can't go from {issue.state} to {state}")
        resolved_at = wall_now if state is IssueState.RESOLVED else None
        moved = replace(issue, state=state, updated_at=wall_now, resolved_at=resolved_at)
        if state is IssueState.RESOLVED:
            self._open.pop(issue.key, None)
            self.resolved_count += 1
        else:
            self._open[issue.key] = moved
        self._listen(moved, Transition(at=wall_now, before=issue.state, after=state, cause=cause, actor=actor))
        return moved

    def amend(
        self, issue: Issue, *, wall_now: float, attempts: int | None = None, next_try_at: float | None = None
    ) -> Issue:
        """Note how often it was tried and when it will be tried again. A wait of seconds is not worth storing."""
        current = self._open.get(issue.key)
        if current is None or current.id != issue.id:
            return issue
        changed = replace(current, attempts=current.attempts if attempts is None else attempts, next_try_at=next_try_at)
        self._open[issue.key] = changed
        if changed != current and (attempts is not None or _far(changed, wall_now) or _far(current, wall_now)):
            self._listen(changed, None)
        return changed

    def clear(self, key: Key, *, cause: str, wall_now: float) -> Issue | None:
        """The detector no longer sees it. While a fix is under way its verification resolves the issue instead."""
        issue = self._open.get(key)
        if issue is None or issue.state in (IssueState.FIXING, IssueState.VERIFYING):
            return None
        return self.move(issue, IssueState.RESOLVED, cause=cause, wall_now=wall_now)

    def _refresh(self, known: Issue, finding: Finding, wall_now: float) -> Issue:
        seen = replace(known, occurrences=known.occurrences + 1, updated_at=wall_now)
        if _says_the_same(known, finding):
            self._open[known.key] = seen
            return seen
        issue = replace(
            seen,
            severity=finding.severity,
            summary=finding.summary,
            evidence=finding.evidence,
            value=finding.value,
            threshold=finding.threshold,
            certain=finding.certain,
        )
        self._open[known.key] = issue
        self._listen(issue, None)
        return issue


def _far(issue: Issue, wall_now: float) -> bool:
    return issue.next_try_at is not None and issue.next_try_at - wall_now > SHORT_WAIT_S


def _says_the_same(known: Issue, finding: Finding) -> bool:
    """Whether a finding adds nothing worth telling and storing: a value wavers by less than 5 % of its level."""
    if (known.severity, known.certain, known.threshold) != (finding.severity, finding.certain, finding.threshold):
        return False
    if known.value is None or finding.value is None or not finding.threshold:
        return known.summary == finding.summary and known.evidence == finding.evidence
    return abs(finding.value - known.value) < NEWS_SHARE * abs(finding.threshold)
