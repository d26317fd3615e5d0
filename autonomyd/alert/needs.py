"""Whether an issue needs a person: parked, refused for a reason that only a person can take away, made worse, or
critical and left alone for a while. What heals itself needs nobody."""

from collections.abc import Mapping

from autonomyd.alert.advice import advised
from autonomyd.model.alert import Alert, Incident, Need
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.health import HealthStatus, Severity
from autonomyd.model.issue import Issue, IssueState
from autonomyd.model.plan import Plan, Refusal, RefusalReason
from autonomyd.model.status import StoreStatus
from autonomyd.model.subject import HOST, Subject, service_of, service_subject

OURSELVES = Subject("autonomyd")
LOOP_FAILURES = 3
"""A loop that failed so often in a row does not get over it by itself."""
OWN_PATIENCE_S = 60.0
"""How long the store or a loop may be unwell: a lock or a slow disk passes."""
FIX_KEY = "fix|"
"""Begins the key of an alert about a fix whose roll-back failed: it is over when a person says so."""
HEALTH_KEY = "host|health"

FOR_A_PERSON = frozenset(
    {
        RefusalReason.NEEDS_APPROVAL,
        RefusalReason.LOW_CONFIDENCE,
        RefusalReason.IRREVERSIBLE,
        RefusalReason.NO_BACKUP,
        RefusalReason.RESTART_LIMIT,
        RefusalReason.FLAPPING,
        RefusalReason.HEALING_LOOP,
        RefusalReason.BLAST_RADIUS,
    }
)
"""Told whatever the severity."""
GOES_ON = frozenset(
    {
        RefusalReason.PAUSED,
        RefusalReason.MAINTENANCE,
        RefusalReason.INTENT,
        RefusalReason.COOLDOWN,
        RefusalReason.PARENT_FAILED,
        RefusalReason.CAN_WAIT,
    }
)
"""A person's own wish, or a wait that ends by itself. Every other reason counts for a critical issue, after a while."""


def incident_of(
    issues: tuple[Issue, ...],
    *,
    key: str,
    cause: str,
    decisions: Mapping[int, Plan | Refusal],
    made_worse: str,
    settle_s: float,
    patience_s: float,
) -> Incident:
    """The open `issues` of one cause on one subject as one incident, oldest first. `made_worse` says what a fix did to
    it ("" when none did harm)."""
    worst = max(issues, key=lambda each: (each.severity is Severity.CRITICAL, -each.opened_at))
    needs = [need_of(each, decisions.get(each.id), settle_s=settle_s, patience_s=patience_s) for each in issues]
    if made_worse:
        needs.insert(0, harmed(worst, made_worse))
    return Incident(
        key=key,
        subject=worst.subject,
        cause=cause,
        severity=worst.severity,
        summary=worst.summary,
        since=min(each.opened_at for each in issues),
        issues=tuple(sorted(each.id for each in issues)),
        seen=tuple(dict.fromkeys(line for each in issues for line in (each.summary, *each.evidence))),
        need=min((each for each in needs if each is not None), key=lambda each: each.after_s, default=None),
    )


def need_of(issue: Issue, decision: Plan | Refusal | None, *, settle_s: float, patience_s: float) -> Need | None:
    """Why a person is needed for an open issue as it was decided last; None while nobody is. What was given up counts
    at once, what a person has to decide after `settle_s` (it may be over by then), the rest after `patience_s`."""
    refusal = decision if isinstance(decision, Refusal) else None
    if issue.state is IssueState.PARKED:
        return _need(issue, refusal)
    if issue.state is not IssueState.REFUSED or refusal is None or refusal.reason in GOES_ON:
        return None
    if refusal.reason in FOR_A_PERSON:
        return _need(issue, refusal, after_s=settle_s)
    if issue.severity is Severity.CRITICAL:
        return _need(issue, refusal, after_s=patience_s)
    return None


def harmed(issue: Issue, what: str) -> Need:
    """A fix made it worse."""
    return Need(reason="made_worse", why=f"a fix did harm: {what}", advice=(_story(issue),))


def did_harm(fix: Fix) -> bool:
    """Whether a finished fix left its subject worse than it was."""
    return fix.outcome is Outcome.WORSENED


def broken_fix(fix: Fix) -> Incident | None:
    """The incident of a fix that could not be rolled back: what it changed is half-way until a person looks."""
    if fix.state is not FixState.ROLLBACK_FAILED:
        return None
    return Incident(
        key=f"{FIX_KEY}{fix.id}",
        subject=service_subject(fix.plan.service) if fix.plan.service else HOST,
        cause=fix.plan.cause.value,
        severity=Severity.CRITICAL,
        summary=f"fix {fix.id} ({fix.plan.strategy}) could not be rolled back",
        since=fix.ended_at or fix.started_at,
        issues=(fix.plan.issue_id,) if fix.plan.issue_id else (),
        seen=(fix.message,) if fix.message else (),
        need=Need(
            reason="rollback_failed",
            why="what the fix changed could not be put back; a second try could do more harm",
            advice=("see what it changed: `autonomyctl fixes`", "put it right, then acknowledge this alert"),
        ),
    )


def remembered(alert: Alert) -> Incident:
    """An alert's incident as it was told, where nothing newer is known."""
    return Incident(
        key=alert.key,
        subject=alert.subject,
        cause=alert.cause,
        severity=alert.severity,
        summary=alert.summary,
        since=alert.opened_at,
        issues=alert.issues,
        need=Need(
            reason=alert.reasons[-1] if alert.reasons else alert.cause,
            why=alert.why,
            advice=("look: `autonomyctl status`, `autonomyctl fixes`",),
        ),
    )


def store_trouble(store: StoreStatus, *, since: float) -> Incident | None:
    """The store does not take writes."""
    if store.state == "ok":
        return None
    return _own("store", f"the store is {store.state}", since, store.message or store.path, "free its disk or mend it")


def loop_trouble(name: str, *, since: float, stuck: bool, failed_in_a_row: int, error: str) -> Incident | None:
    """One of the daemon's own loops is stuck, or fails at every turn."""
    if not stuck and failed_in_a_row < LOOP_FAILURES:
        return None
    what = "is stuck" if stuck else f"failed {failed_in_a_row} times in a row"
    return _own(f"loop|{name}", f"the {name} loop {what}", since, error, "restart the daemon")


def health_trouble(
    status: HealthStatus, *, bound: HealthStatus, since: float, reason: str, after_s: float
) -> Incident | None:
    """The machine as a whole is no better than `bound`, since a time that only the caller knows."""
    order = (HealthStatus.DEGRADED, HealthStatus.CRITICAL, HealthStatus.FAILING)
    if status not in order or order.index(status) < order.index(bound):
        return None
    bad = status is not HealthStatus.DEGRADED
    return Incident(
        key=HEALTH_KEY,
        subject=HOST,
        cause="health",
        severity=Severity.CRITICAL if bad else Severity.WARNING,
        summary=f"this machine is {status}",
        since=since,
        seen=(reason,) if reason else (),
        need=Need(
            reason="health",
            why="no open issue of its own has called for you, and yet it is not well",
            advice=("look: `autonomyctl status`",),
            after_s=after_s,
        ),
    )


def _need(issue: Issue, refusal: Refusal | None, *, after_s: float = 0.0) -> Need:
    if refusal is None:
        return Need(reason="parked", why="it was given up for now", advice=(_story(issue),), after_s=after_s)
    reason, service = refusal.reason.value, service_of(issue.subject)
    told = advised(reason, issue_id=issue.id, service=service, approval=refusal.approval)
    wanted = (f"autonomyd would: {'; '.join(refusal.wanted.preview)}",) if refusal.wanted else ()
    advice = (*wanted, *(told or "").splitlines(), _story(issue))
    return Need(reason=reason, why=refusal.message, advice=tuple(dict.fromkeys(advice)), after_s=after_s)


def _story(issue: Issue) -> str:
    return f"the whole story: `autonomyctl explain {issue.id}`"


def _own(name: str, summary: str, since: float, seen: str, advice: str) -> Incident:
    return Incident(
        key=f"{OURSELVES}|{name}",
        subject=OURSELVES,
        cause=name,
        severity=Severity.CRITICAL,
        summary=f"autonomyd itself: {summary}",
        since=since,
        seen=(seen,) if seen else (),
        need=Need(
            reason=name.partition("|")[0],
            why="it can't mend itself; healing goes on as far as it can",
            advice=(f"{advice}; `autonomyctl status` shows how it is",),
            after_s=OWN_PATIENCE_S,
        ),
    )
