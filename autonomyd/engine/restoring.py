"""At the start: what earlier runs left is taken back, so that issues, limits, waits and goals go on where they were."""

from collections.abc import Collection

from autonomyd.aio.clock import Clock
from autonomyd.engine.history import FixHistory
from autonomyd.engine.insight.foresight import foretold
from autonomyd.engine.judges import folder_subject
from autonomyd.engine.managed import ManagedService
from autonomyd.engine.parts import Parts
from autonomyd.engine.records import Records
from autonomyd.model.issue import Issue, IssueState, IssueType
from autonomyd.model.subject import service_of
from autonomyd.plan.proposal import issue_key
from autonomyd.settings.root import Settings
from autonomyd.settings.service import checks_by_name

RECENT_FIXES = 200
RECENT_ISSUES = 500
UNDER_WAY = (IssueState.FIXING, IssueState.VERIFYING, IssueState.PLANNED)


async def restore(parts: Parts, settings: Settings, clock: Clock, *, recovering: Collection[int] = ()) -> None:
    """Pause, open issues with their waits, goals, candidates, and the history that the gates look back on. Issues whose
    fix is being recovered (ids) stay as they are: the end of the fix moves them on."""
    records = parts.records
    parts.pause.restore(await records.restored_pause())
    if settings.healing.paused and not parts.pause.status.actor:
        parts.pause.pause(for_s=None, reason="the configuration starts paused", actor="configuration")
    open_issues: list[Issue] = await records.read(records.issues.open, [])
    parts.monitoring.book.restore(open_issues)
    parts.goals.restore(
        await records.read(records.goals.unfinished, []),
        issues=await records.read(lambda: records.issues.recent(limit=RECENT_ISSUES), []),
        closed=await records.read(records.goals.counts, {}),
    )
    parts.optimization.restore(
        await records.read(records.candidates.unsettled, []),
        counts=await records.read(records.candidates.counts, {}),
    )
    await restore_history(records, parts.history)
    await _restore_trust(parts)
    parts.known_good.restore(await records.read(records.known_goods.all, None))
    for issue in open_issues:
        parts.healing.restore_wait(issue, longest_s=settings.healing.park_retry_s)
        if issue.id not in recovering:
            _take_back(parts, issue, no_longer_watched(issue, settings), clock.wall())
    await parts.alerting.restore()
    await parts.insight.turns.restore()


async def _restore_trust(parts: Parts) -> None:
    """What was learned, what a person allowed or denied, and what has tripped."""
    records = parts.records
    parts.history.restore_tripped(await records.restored_tripped())
    fixes = await records.read(lambda: records.fixes.recent(limit=RECENT_FIXES), [])
    parts.trust.restore(
        await records.read(records.outcomes.all, []), await records.read(records.shadow.all, []), reversed(fixes)
    )
    parts.approvals.restore(
        await records.read(records.approvals.recent, []), await records.read(records.approvals.consents, [])
    )


def waits(service: ManagedService, parts: Parts, clock: Clock) -> bool:
    """Whether an open issue of an earlier run says when it is tried next, and that is not yet: that the daemon was
    restarted is no new hope for a service that was parked, and resets no breaker that has tripped."""
    if parts.history.tripped(service.name):
        return True
    wall = clock.wall()
    return any((issue.next_try_at or 0.0) > wall for issue in parts.monitoring.book.of_subject(service.subject))


def _take_back(parts: Parts, issue: Issue, gone: str, wall: float) -> None:
    book = parts.monitoring.book
    if issue.state in UNDER_WAY:
        issue = book.move(issue, IssueState.DIAGNOSED, cause="the daemon was restarted during the fix", wall_now=wall)
    if gone:
        book.clear(issue.key, cause=gone, wall_now=wall)


async def restore_history(records: Records, history: FixHistory) -> None:
    """What earlier runs did, so that limits, cooldowns and learning go on where they were."""
    keys = await _issue_keys(records)
    fixes = await records.read(lambda: records.fixes.recent(limit=RECENT_FIXES), [])
    reset_at = await records.restored_budget_reset()
    done = [(fix, keys.get(fix.plan.issue_id or 0, "")) for fix in reversed(fixes) if fix.plan.issue_id]
    history.restore(pair for pair in done if (pair[0].ended_at or 0.0) <= reset_at)
    history.forgive()
    history.restore(pair for pair in done if (pair[0].ended_at or 0.0) > reset_at)


def no_longer_watched(issue: Issue, settings: Settings) -> str:
    """Why nothing can ever tell that this issue of the last run is over; "" when something can."""
    name = service_of(issue.subject)
    if name is None:
        folders = {folder_subject(each.root) for each in settings.cleanup if each.quota_mb is not None}
        orphan = issue.subject.startswith("folder:") and issue.subject not in folders
        return "the folder is no longer watched" if orphan else ""
    service = settings.services.get(name)
    if service is None:
        return "the service is no longer configured"
    if foretold(issue):
        return ""
    if issue.type is IssueType.RESOURCE_EXHAUSTION and getattr(service.limits, issue.metric, None) is None:
        return "it has no such limit any more"
    if issue.type is IssueType.HIGH_LATENCY:
        check = checks_by_name(service.checks).get(issue.metric)
        return "" if getattr(check, "latency_ms", None) is not None else "no check judges this latency any more"
    return ""


async def _issue_keys(records: Records) -> dict[int, str]:
    issues: list[Issue] = await records.read(lambda: records.issues.recent(limit=RECENT_ISSUES), [])
    return {issue.id: issue_key(issue) for issue in issues}
