"""Who needs a person, and who does not."""

import pytest

from autonomyd.alert.needs import (
    FOR_A_PERSON,
    GOES_ON,
    broken_fix,
    health_trouble,
    incident_of,
    loop_trouble,
    need_of,
    store_trouble,
)
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.health import HealthStatus, Severity
from autonomyd.model.issue import IssueState
from autonomyd.model.plan import GateName, Plan, Refusal, RefusalReason, Risk
from autonomyd.model.status import StoreStatus
from autonomyd.testing import issue

PATIENCE_S = 120.0
WAITS = {"settle_s": 10.0, "patience_s": PATIENCE_S}


def refusal(reason: RefusalReason, *, park: bool = False) -> Refusal:
    return Refusal(reason=reason, message=f"because of {reason}", gate=GateName.COOLDOWN, park=park)


def plan(**more: object) -> Plan:
    fields = {
        "strategy": "restart",
        "cause": Cause.PROCESS_GONE,
        "steps": (),
        "confidence": 99.0,
        "risk": Risk.LOW,
        "disruptive": True,
        "reversible": True,
        "service": "web",
        "issue_id": 1,
    }
    return Plan(**(fields | more))  # type: ignore[arg-type]


@pytest.mark.parametrize("reason", sorted(FOR_A_PERSON))
@pytest.mark.parametrize("severity", Severity)
def test_what_only_a_person_can_take_away_is_told_soon(reason: RefusalReason, severity: Severity) -> None:
    need = need_of(issue(state=IssueState.REFUSED, severity=severity), refusal(reason), **WAITS)
    assert need is not None
    assert (need.reason, need.after_s) == (reason.value, 10.0)
    assert any("`autonomyctl explain 1`" in line for line in need.advice)


@pytest.mark.parametrize("reason", sorted(GOES_ON))
def test_what_goes_on_by_itself_needs_nobody(reason: RefusalReason) -> None:
    assert need_of(issue(state=IssueState.REFUSED), refusal(reason), **WAITS) is None


@pytest.mark.parametrize("reason", sorted(set(RefusalReason) - FOR_A_PERSON - GOES_ON))
def test_every_other_reason_counts_for_a_critical_issue_after_a_while(reason: RefusalReason) -> None:
    critical = need_of(issue(state=IssueState.REFUSED), refusal(reason), **WAITS)
    assert critical is not None
    assert critical.after_s == PATIENCE_S
    small = issue(state=IssueState.REFUSED, severity=Severity.WARNING)
    assert need_of(small, refusal(reason), **WAITS) is None


@pytest.mark.parametrize("state", sorted(set(IssueState) - {IssueState.PARKED, IssueState.REFUSED}))
def test_what_is_in_hand_muted_or_over_needs_nobody(state: IssueState) -> None:
    for decision in (None, plan(), refusal(RefusalReason.NEEDS_APPROVAL)):
        assert need_of(issue(state=state), decision, **WAITS) is None


def test_parked_needs_a_person_whatever_is_known_of_why() -> None:
    parked = issue(state=IssueState.PARKED)
    known = need_of(parked, refusal(RefusalReason.RESTART_LIMIT, park=True), **WAITS)
    unknown = need_of(parked, None, **WAITS)
    assert known is not None
    assert unknown is not None
    assert (known.reason, unknown.reason) == ("restart_limit", "parked")
    assert known.after_s == unknown.after_s == 0.0
    assert any("`autonomyctl logs web`" in line for line in known.advice)


def test_an_issue_that_was_not_judged_yet_needs_nobody() -> None:
    assert need_of(issue(state=IssueState.REFUSED), None, **WAITS) is None


def test_the_incident_takes_the_worst_and_the_most_urgent() -> None:
    slow = issue(id=3, severity=Severity.WARNING, state=IssueState.REFUSED, summary="web is slow", opened_at=5.0)
    down = issue(id=2, state=IssueState.REFUSED, summary="web is down", opened_at=9.0)
    decisions = {3: refusal(RefusalReason.NEEDS_APPROVAL), 2: refusal(RefusalReason.UNDETERMINED)}
    found = incident_of((slow, down), key="k", cause="c", decisions=decisions, made_worse="", **WAITS)
    assert (found.summary, found.severity, found.since, found.issues) == ("web is down", Severity.CRITICAL, 5.0, (2, 3))
    assert found.need is not None
    assert found.need.reason == "needs_approval"
    harmed = incident_of((down,), key="k", cause="c", decisions={}, made_worse="restart: web2 fell", **WAITS)
    assert harmed.need is not None
    assert harmed.need.why == "a fix did harm: restart: web2 fell"


def test_only_a_failed_roll_back_is_an_incident_of_its_own() -> None:
    fix = Fix(id=4, plan=plan(), state=FixState.ROLLED_BACK, actor="autonomyd", started_at=1.0, ended_at=2.0)
    assert broken_fix(fix) is None
    found = broken_fix(
        Fix(id=4, plan=plan(), state=FixState.ROLLBACK_FAILED, actor="autonomyd", started_at=1.0, ended_at=2.0,
            outcome=Outcome.WORSENED, message="the disk is gone")
    )  # fmt: skip
    assert found is not None
    assert (found.key, found.severity, found.issues) == ("fix|4", Severity.CRITICAL, (1,))


def test_own_troubles() -> None:
    assert store_trouble(StoreStatus(state="ok", path="/x", pending=0), since=1.0) is None
    assert store_trouble(StoreStatus(state="degraded", path="/x", pending=3, message="disk full"), since=1.0)
    quiet = {"since": 1.0, "stuck": False, "error": ""}
    assert loop_trouble("healing", failed_in_a_row=2, **quiet) is None  # type: ignore[arg-type]
    assert loop_trouble("healing", failed_in_a_row=3, **quiet)  # type: ignore[arg-type]
    assert loop_trouble("healing", since=1.0, stuck=True, failed_in_a_row=0, error="")


@pytest.mark.parametrize(
    ("status", "bound", "told"),
    [
        (HealthStatus.HEALTHY, HealthStatus.DEGRADED, False),
        (HealthStatus.UNKNOWN, HealthStatus.DEGRADED, False),
        (HealthStatus.DEGRADED, HealthStatus.DEGRADED, True),
        (HealthStatus.DEGRADED, HealthStatus.CRITICAL, False),
        (HealthStatus.FAILING, HealthStatus.CRITICAL, True),
    ],
)
def test_health_under_its_bound(status: HealthStatus, bound: HealthStatus, told: bool) -> None:
    assert (health_trouble(status, bound=bound, since=1.0, reason="", after_s=600.0) is not None) is told
