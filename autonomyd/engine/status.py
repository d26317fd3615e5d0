"""Builds the one SystemStatus from the loops, the services and the store."""

from dataclasses import replace

from autonomyd.aio.clock import Clock
from autonomyd.aio.supervisor import SupervisedLoop, Supervisor
from autonomyd.engine.availability import objective_of
from autonomyd.engine.managed import ManagedService
from autonomyd.engine.parts import Parts
from autonomyd.knowledge.fixes import FixCounts
from autonomyd.knowledge.issues import IssueCounts
from autonomyd.model.fix import Fix, Outcome
from autonomyd.model.health import HealthStatus, Severity
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Plan, Refusal
from autonomyd.model.status import (
    DaemonStatus,
    HealingStatus,
    IssueStatus,
    LoopStatus,
    ServiceStatus,
    SystemStatus,
)

NOTICE_WORDS = "a notice: nobody is worse off, nothing is mended"


class StatusReader:
    """Reads; changes nothing."""

    def __init__(self, parts: Parts, supervisor: Supervisor, clock: Clock) -> None:
        self._parts = parts
        self._supervisor = supervisor
        self._clock = clock

    async def read(self, daemon: DaemonStatus) -> SystemStatus:
        parts = self._parts
        # what is stored waits for the store; what follows is one moment, and no count is ahead of the health
        healing = await self._healing()
        health = parts.monitoring.report()
        by_subject = {each.subject: each.status for each in health.subjects}
        stalled = self._supervisor.stalled()
        return SystemStatus(
            at=self._clock.wall(),
            daemon=daemon,
            health=health,
            healing=replace(healing, open_issues=len(health.issues)),
            goals=parts.goals.status(),
            optimization=parts.optimization.status(),
            loops={name: _loop(loop, stalled) for name, loop in self._supervisor.loops.items()},
            services={
                name: self.service(service, by_subject.get(service.subject, HealthStatus.UNKNOWN))
                for name, service in parts.keeper.services.items()
            },
            issues=tuple(self.issue(issue) for issue in health.issues),
            pause=parts.pause.status,
            store=parts.records.store.status(),
            dependencies=parts.dependencies.statuses(),
            alerts=parts.alerting.status(),
        )

    def service(self, service: ManagedService, health: HealthStatus) -> ServiceStatus:
        parts = self._parts
        offset = self._clock.wall() - self._clock.monotonic()
        waits = [issue.next_try_at for issue in parts.monitoring.book.of_subject(service.subject) if issue.next_try_at]
        return ServiceStatus(
            name=service.name,
            state=service.state,
            health=health,
            intent=service.intent,
            autonomy=service.settings.autonomy,
            control=service.control.kind,
            pid=service.run.pid,
            since=service.state_since_at,
            restarts=service.restarts,
            message=service.problem or service.outdated or service.run.message,
            next_try_at=min(waits, default=None),
            depends_on=service.settings.depends_on,
            earned=parts.trust.earned(service.name),
            availability_percent=None if service.available is None else service.available[0],
            availability_s=0.0 if service.available is None else service.available[1],
            objective_percent=objective_of(service.settings, parts.settings),
            checks=service.check_statuses(lambda at: at + offset),
            metrics=self._metrics(service),
        )

    def _metrics(self, service: ManagedService) -> dict[str, float]:
        """The newest values; the uptime follows from the start and needs no history."""
        if not service.has_process:
            return {}
        values = self._parts.monitoring.metrics.latest(service.subject, since=service.settled_from)
        if service.run.started_at is not None:
            values["uptime_s"] = max(0.0, self._clock.wall() - service.run.started_at)
        return values

    def issue(self, issue: Issue) -> IssueStatus:
        decision = self._parts.healing.decisions.get(issue.id)
        return IssueStatus(
            issue=issue,
            decision=NOTICE_WORDS if issue.severity is Severity.NOTICE else decision_words(decision),
            refusal=decision if isinstance(decision, Refusal) else None,
        )

    async def _healing(self) -> HealingStatus:
        records = self._parts.records
        issues: IssueCounts = await records.read(
            records.issues.counts, IssueCounts(open=0, resolved=self._parts.monitoring.book.resolved_count)
        )
        fixes: FixCounts = await records.read(records.fixes.counts, FixCounts(total=0, outcomes={}))
        last: Fix | None = await records.read(records.fixes.last, None)
        finished = sum(fixes.outcomes.values())
        healed = fixes.outcomes.get(Outcome.HEALED, 0)
        return HealingStatus(
            open_issues=len(self._parts.monitoring.book.open_issues()),
            resolved_issues=issues.resolved,
            fixes=fixes.total,
            outcomes={outcome.value: count for outcome, count in fixes.outcomes.items()},
            success_rate=healed / finished if finished else None,
            approvals=len(self._parts.approvals.waiting),
            tripped=self._parts.history.tripped(None),
            running=tuple(self._parts.runner.running.values()),
            last=last,
        )


def decision_words(decision: Plan | Refusal | None) -> str:
    """What is being done about an issue, in a few words."""
    if decision is None:
        return "not judged yet"
    if isinstance(decision, Plan):
        return "; ".join(decision.preview) or decision.strategy
    return decision.message


def _loop(loop: SupervisedLoop, stalled: tuple[str, ...]) -> LoopStatus:
    return LoopStatus(
        name=loop.name,
        state="stuck" if loop.name in stalled else loop.state.value,
        interval_s=loop.interval_s,
        runs=loop.runs,
        failures=loop.failures,
        last_run_at=loop.last_run_at,
        last_duration_s=loop.last_duration_s,
        last_error=loop.last_error,
    )
