"""Values as the wire has them, built from the model: a calm machine, a troubled one, and one just started."""

from dataclasses import replace
from typing import Any

import pytest

from autonomyd.model.diagnosis import Cause, Diagnosis, RankedCause
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.goal import Goal, GoalState
from autonomyd.model.health import HealthStatus, Severity, SubjectHealth, Trend
from autonomyd.model.issue import Issue, IssueState, IssueType, Transition
from autonomyd.model.plan import Autonomy, GateName, GateResult, Plan, Refusal, RefusalReason, Risk
from autonomyd.model.reading import ReadingState
from autonomyd.model.service import Intent, ServiceState
from autonomyd.model.status import (
    CheckStatus,
    DaemonStatus,
    GoalsStatus,
    HealingStatus,
    HealthReport,
    IssueStatus,
    LoopStatus,
    OptimizationStatus,
    PauseStatus,
    ServiceStatus,
    StoreStatus,
    SystemStatus,
)
from autonomyd.model.step import RestartService
from autonomyd.model.subject import HOST, Subject, service_subject
from autonomyd.model.wire import plain

NOW = 1_760_000_000.0
GATES = (
    GateResult(
        gate=GateName.PAUSED, passed=True, saw="not paused, meant to run", needs="not paused, no stop by a person"
    ),
    GateResult(gate=GateName.AUTONOMY, passed=True, saw="act", needs="act"),
    GateResult(gate=GateName.COOLDOWN, passed=False, saw="5 restarts in 5 min", needs="at most 5 in 5 min"),
)


def check(name: str, state: ReadingState = ReadingState.OK, message: str = "", failures: int = 0) -> CheckStatus:
    return CheckStatus(
        name=name, type=name, state=state, message=message, at=NOW - 2, duration_ms=1.4, failures=failures
    )


def service(name: str, state: ServiceState = ServiceState.UP, **more: Any) -> ServiceStatus:
    base = ServiceStatus(
        name=name,
        state=state,
        health=HealthStatus.HEALTHY if state is ServiceState.UP else HealthStatus.CRITICAL,
        intent=Intent.STARTED,
        autonomy=Autonomy.ACT,
        control="process",
        pid=4242,
        since=NOW - 7300,
        restarts=0,
        checks=(check("http"), check("tcp")),
        metrics={"rss_mb": 48.2, "cpu_percent": 1.25, "fds": 12.0},
    )
    return replace(base, **more)


def restart_plan(name: str, issue_id: int = 7) -> Plan:
    return Plan(
        strategy="restart",
        cause=Cause.PROCESS_GONE,
        steps=(RestartService(service=name),),
        confidence=95.0,
        risk=Risk.LOW,
        disruptive=True,
        reversible=True,
        service=name,
        issue_id=issue_id,
        gates=GATES[:2],
    )


def restart_fix(name: str, **more: Any) -> Fix:
    base = Fix(
        id=3,
        plan=restart_plan(name),
        state=FixState.COMMITTED,
        actor="autonomyd",
        started_at=NOW - 181,
        ended_at=NOW - 180.6,
        outcome=Outcome.HEALED,
        message="answers again",
    )
    return replace(base, **more)


def issue(id_: int, subject: Subject, **more: Any) -> Issue:
    base = Issue(
        id=id_,
        type=IssueType.SERVICE_DOWN,
        subject=subject,
        metric="process",
        severity=Severity.CRITICAL,
        state=IssueState.PARKED,
        summary="cache is down: killed by SIGKILL",
        opened_at=NOW - 250,
        updated_at=NOW - 20,
        occurrences=6,
        evidence=("process 991 is gone", "tcp 127.0.0.1:6379: connection refused"),
        attempts=5,
        certain=True,
    )
    return replace(base, **more)


def refusal(reason: RefusalReason = RefusalReason.RESTART_LIMIT, message: str = "", **more: Any) -> Refusal:
    base = Refusal(
        reason=reason,
        message=message or "5 restarts in 5 min, none of them lasted",
        gate=GateName.COOLDOWN,
        retry_at=NOW + 400,
        park=True,
        gates=GATES,
        strategy="restart",
    )
    return replace(base, **more)


def calm_status() -> SystemStatus:
    loops = {
        name: LoopStatus(
            name=name,
            state="running",
            interval_s=every,
            runs=9,
            failures=0,
            last_run_at=NOW - 1,
            last_duration_s=0.002,
            last_error=None,
        )
        for name, every in (("monitoring", 10.0), ("healing", 30.0), ("goals", 60.0), ("optimization", 300.0))
    }
    metrics = {
        "cpu.percent": 23.4,
        "load.per_core": 0.31,
        "memory.percent": 61.2,
        "swap.percent": 0.0,
        "disk://disk.used_percent": 42.0,
        "disk:/var/disk.used_percent": 88.4,
    }
    return SystemStatus(
        at=NOW,
        daemon=DaemonStatus(
            pid=812,
            version="0.1.0",
            started_at=NOW - 7400,
            uptime_s=7400.0,
            config_file="/etc/autonomyd.toml",
            config_loaded_at=NOW - 7400,
            config_error=None,
            state_dir="/var/lib/autonomyd",
            socket="/run/autonomyd/control.sock",
            event_loop="uvloop",
        ),
        health=HealthReport(
            status=HealthStatus.HEALTHY,
            trend=Trend.STABLE,
            subjects=(
                SubjectHealth(subject=HOST, status=HealthStatus.HEALTHY),
                SubjectHealth(subject=service_subject("web"), status=HealthStatus.HEALTHY),
            ),
            metrics=metrics,
            unknown=("PSI: not offered by this kernel",),
        ),
        healing=HealingStatus(
            open_issues=0, resolved_issues=4, fixes=4, outcomes={"healed": 4}, success_rate=1.0, last=restart_fix("web")
        ),
        goals=GoalsStatus(
            pending=1,
            in_progress=1,
            completed=2,
            failed=0,
            cancelled=0,
            current=Goal(
                id=4,
                description="Keep /var below 85 %",
                progress=0.4,
                state=GoalState.IN_PROGRESS,
                created_at=NOW - 900,
            ),
        ),
        optimization=OptimizationStatus(
            proposed=1, applied=0, verified=2, rolled_back=0, cost_percent=0.052, memory_mb=47.81, last=""
        ),
        loops=loops,
        services={"web": service("web", restarts=1), "cache": service("cache", pid=991)},
        issues=(),
        pause=PauseStatus(paused=False),
        store=StoreStatus(state="ok", path="/var/lib/autonomyd/knowledge.db", pending=0),
    )


def troubled_status() -> SystemStatus:
    calm = calm_status()
    cache = service(
        "cache",
        ServiceState.DOWN,
        pid=None,
        since=NOW - 240,
        message="killed by SIGKILL",
        next_try_at=NOW + 400,
        restarts=5,
        checks=(check("tcp", ReadingState.FAILED, "connection refused", 12),),
    )
    jobs = service("jobs", ServiceState.STOPPED, intent=Intent.STOPPED, pid=None, since=NOW - 90000)
    mail = service(
        "mail",
        autonomy=Autonomy.OBSERVE,
        health=HealthStatus.DEGRADED,
        checks=(check("http", ReadingState.FAILED, "503 \x1b[31mService Unavailable\x1b[0m [red]", 3), check("tcp")),
    )
    slow = issue(
        9,
        service_subject("mail"),
        type=IssueType.SERVICE_UNHEALTHY,
        severity=Severity.WARNING,
        state=IssueState.REFUSED,
        summary="mail answers 503 to http://127.0.0.1:8025/health",
        opened_at=NOW - 65,
    )
    starting = issue(
        10, service_subject("api"), state=IssueState.VERIFYING, summary="api is down", opened_at=NOW - 3, occurrences=1
    )
    return replace(
        calm,
        health=replace(
            calm.health,
            status=HealthStatus.CRITICAL,
            trend=Trend.WORSENING,
            subjects=(
                SubjectHealth(subject=HOST, status=HealthStatus.HEALTHY),
                SubjectHealth(
                    subject=service_subject("cache"), status=HealthStatus.CRITICAL, reason="down: killed by SIGKILL"
                ),
            ),
        ),
        services={
            "web": service("web"),
            "cache": cache,
            "jobs": jobs,
            "mail": mail,
            "api": service("api", ServiceState.STARTING, since=NOW - 1, depends_on=("cache",)),
        },
        issues=(
            IssueStatus(issue=issue(7, service_subject("cache"), next_try_at=NOW + 400), refusal=refusal()),
            IssueStatus(
                issue=slow,
                refusal=refusal(RefusalReason.OBSERVE_ONLY, "mail is only watched (autonomy = observe)", retry_at=None),
            ),
            IssueStatus(issue=starting, decision="restart: restart api"),
        ),
        pause=PauseStatus(paused=True, until=NOW + 2400, reason="upgrade of the disks", actor="uid=0 pid=77"),
    )


def explained() -> dict[str, Any]:
    """The answer of /v1/issues/7."""
    problem = issue(7, service_subject("cache"), next_try_at=NOW + 400)
    diagnosis = Diagnosis(
        subject=problem.subject,
        causes=(
            RankedCause(
                cause=Cause.PROCESS_GONE,
                confidence=99.0,
                supports=("process 991 is gone", "nothing listens on port 6379"),
            ),
            RankedCause(cause=Cause.PARENT_FAILED, confidence=5.0, contradicts=("it depends on nothing",)),
        ),
        signals=("process", "tcp"),
        certain=True,
    )
    transitions = (
        Transition(at=NOW - 250, before="", after="open", cause="process 991 is gone", actor="autonomyd"),
        Transition(
            at=NOW - 249.9, before="open", after="diagnosed", cause="process_gone, 99 of 100", actor="autonomyd"
        ),
        Transition(at=NOW - 20, before="verifying", after="parked", cause="5 restarts in 5 min", actor="autonomyd"),
    )
    return {
        "issue": plain(problem),
        "diagnosis": plain(diagnosis),
        "decision": plain(refusal()),
        "kind": "refusal",
        "transitions": plain(transitions),
        "fixes": plain((restart_fix("cache", outcome=Outcome.INEFFECTIVE, message="gone again after 2 s"),)),
        "why": "The process ended and every restart ended within seconds.",
        "next": "One more restart is tried in 6 min.",
    }


@pytest.fixture
def calm() -> dict[str, Any]:
    value: dict[str, Any] = plain(calm_status())
    return value


@pytest.fixture
def troubled() -> dict[str, Any]:
    value: dict[str, Any] = plain(troubled_status())
    return value


@pytest.fixture
def story() -> dict[str, Any]:
    return explained()
