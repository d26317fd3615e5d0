"""At the start: services that the daemon itself runs are started, parents first; fixes that broke off are settled."""

import asyncio

import structlog

from autonomyd.engine.history import FixHistory
from autonomyd.engine.judges import folder_subject
from autonomyd.engine.managed import ManagedService
from autonomyd.engine.pause import PauseSwitch
from autonomyd.engine.records import Records
from autonomyd.engine.services import ServiceKeeper
from autonomyd.execute.runner import Overtaken, Runner
from autonomyd.model.diagnosis import Cause
from autonomyd.model.issue import Issue, IssueType
from autonomyd.model.plan import Autonomy, Plan, Risk
from autonomyd.model.service import Intent, RunState, ServiceState
from autonomyd.model.step import StartService
from autonomyd.model.subject import service_of
from autonomyd.plan.proposal import issue_key
from autonomyd.settings.root import Settings
from autonomyd.settings.service import checks_by_name

ACTOR = "start-up"
PARENT_EXTRA_S = 5.0
RECENT_FIXES = 200
RECENT_ISSUES = 500

log = structlog.get_logger(__name__)


def wants_start(service: ManagedService, pause: PauseSwitch) -> bool:
    """Only `process` services are brought up: the others have somebody else who starts them at boot, and one that
    is down is an issue like any other."""
    return (
        service.control.kind == "process"
        and service.run.state is RunState.GONE
        and service.intent is Intent.STARTED
        and service.settings.autonomy is Autonomy.ACT
        and not service.problem
        and not pause.facts().paused
    )


async def bring_up(keeper: ServiceKeeper, runner: Runner, waiting: tuple[str, ...], pause: PauseSwitch) -> None:
    """Start `waiting`, each as soon as its parents are up (or their grace time is over)."""
    await asyncio.gather(*(_bring_up(keeper, runner, name, pause) for name in waiting))


async def _bring_up(keeper: ServiceKeeper, runner: Runner, name: str, pause: PauseSwitch) -> None:
    service = keeper.services.get(name)
    if service is None:
        return

    def overtaken() -> str:
        return "" if keeper.services.get(name) is service and wants_start(service, pause) else "no longer wanted"

    for parent in service.settings.depends_on:
        if not await _until_up(keeper, parent):
            # not started without its parent: it is down, and follows as soon as the parent has been healed
            log.warning("start_waits_for_parent", service=name, parent=parent)
            _let_go(keeper, service)
            return
    plan = Plan(
        strategy="start",
        cause=Cause.REQUESTED,
        steps=(StartService(service=name),),
        confidence=100.0,
        risk=Risk.LOW,
        disruptive=False,
        reversible=True,
        service=name,
        preview=(f"start {name}",),
    )
    try:
        await runner.run(plan, actor=ACTOR, overtaken=overtaken)
    except Overtaken:
        # while it waited a person stopped or started it, automation was paused, or the configuration changed
        _let_go(keeper, service)


def _let_go(keeper: ServiceKeeper, service: ManagedService) -> None:
    """Nobody is about to start it any more."""
    service.operating = ""
    keeper.update(service)


async def _until_up(keeper: ServiceKeeper, name: str) -> bool:
    parent = keeper.services.get(name)
    if parent is None:
        return True
    try:
        async with asyncio.timeout(parent.settings.start_grace_s + PARENT_EXTRA_S):
            while parent.state is not ServiceState.UP:
                await parent.changed.wait()
    except TimeoutError:
        return False
    return True


async def restore_history(records: Records, history: FixHistory) -> None:
    """What earlier runs did, so that limits, cooldowns and learning go on where they were."""
    keys = await _issue_keys(records)
    fixes = await records.read(lambda: records.fixes.recent(limit=RECENT_FIXES), [])
    reset_at = await records.restored_budget_reset()
    done = [(fix, keys.get(fix.plan.issue_id or 0, "")) for fix in reversed(fixes) if fix.plan.issue_id]
    history.restore(pair for pair in done if (pair[0].ended_at or 0.0) <= reset_at)
    history.forgive()
    history.restore(pair for pair in done if (pair[0].ended_at or 0.0) > reset_at)


async def settle_unfinished(records: Records, runner: Runner, history: FixHistory, begun_before: float) -> None:
    """Finish the fixes that the last run left half-way: look at what is there now, and write down what was found. They
    count for the limits like any other: else a fix that takes the daemon down with it would be made without end."""
    keys = await _issue_keys(records)
    for fix in await records.read(records.fixes.unfinished, []):
        if fix.started_at < begun_before and fix.id not in runner.running:
            log.warning("fix_settled", fix=fix.id, strategy=fix.plan.strategy, state=fix.state.value)
            settled = await runner.settle(fix)
            if settled.plan.issue_id:
                history.restore([(settled, keys.get(settled.plan.issue_id, ""))])


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
    if issue.type is IssueType.RESOURCE_EXHAUSTION and getattr(service.limits, issue.metric, None) is None:
        return "it has no such limit any more"
    if issue.type is IssueType.HIGH_LATENCY:
        check = checks_by_name(service.checks).get(issue.metric)
        return "" if getattr(check, "latency_ms", None) is not None else "no check judges this latency any more"
    return ""


async def _issue_keys(records: Records) -> dict[int, str]:
    issues: list[Issue] = await records.read(lambda: records.issues.recent(limit=RECENT_ISSUES), [])
    return {issue.id: issue_key(issue) for issue in issues}
