"""Health per subject: the worst that is known, with its reason."""

import pytest

from autonomyd.analyze.health import all_health, health_of_issue, subject_health
from autonomyd.model.health import HealthStatus, Severity, worst
from autonomyd.model.issue import IssueState, IssueType
from autonomyd.model.service import Intent, ServiceState
from autonomyd.model.subject import HOST, Subject, service_subject
from autonomyd.testing import issue

HEALTHY, DEGRADED, CRITICAL = HealthStatus.HEALTHY, HealthStatus.DEGRADED, HealthStatus.CRITICAL
FAILING, UNKNOWN = HealthStatus.FAILING, HealthStatus.UNKNOWN


@pytest.mark.parametrize(
    ("severity", "state", "health"),
    [
        (Severity.WARNING, IssueState.OPEN, DEGRADED),
        (Severity.WARNING, IssueState.PARKED, DEGRADED),
        (Severity.CRITICAL, IssueState.FIXING, CRITICAL),
        (Severity.CRITICAL, IssueState.PARKED, FAILING),
        (Severity.CRITICAL, IssueState.MUTED, HEALTHY),
    ],
)
def test_the_health_that_an_issue_stands_for(severity, state, health):
    assert health_of_issue(issue(severity=severity, state=state)) is health


def test_unknown_is_no_verdict_but_alone_it_is_told():
    assert worst([UNKNOWN, HEALTHY]) is HEALTHY
    assert worst([UNKNOWN, CRITICAL, DEGRADED]) is CRITICAL
    assert worst([UNKNOWN, UNKNOWN]) is UNKNOWN
    assert worst([]) is UNKNOWN
    assert subject_health(HOST, [], known=False).status is UNKNOWN


@pytest.mark.parametrize(
    ("state", "health"),
    [
        (ServiceState.UP, HEALTHY),
        (ServiceState.STARTING, HEALTHY),
        (ServiceState.STOPPED, HEALTHY),
        (ServiceState.DOWN, CRITICAL),
        (ServiceState.FAILING, CRITICAL),
        (ServiceState.UNKNOWN, UNKNOWN),
    ],
)
def test_the_health_of_a_service_without_issues(state, health):
    assert subject_health(service_subject("web"), [], state=state).status is health


def test_the_reason_is_that_of_the_worst():
    issues = [issue(summary="slow", severity=Severity.WARNING), issue(summary="gone")]
    assert subject_health(service_subject("web"), issues).reason == "gone"


def test_the_host_every_service_and_whatever_has_an_issue_is_listed():
    disk = issue(IssueType.RESOURCE_EXHAUSTION, subject=Subject("disk:/"), severity=Severity.WARNING)
    services = {"web": (ServiceState.UP, Intent.STARTED)}
    found = {each.subject: each.status for each in all_health([disk], services, host_known=True)}
    assert found == {HOST: HEALTHY, service_subject("web"): HEALTHY, Subject("disk:/"): DEGRADED}
    assert all_health([], {}, host_known=False)[0].status is UNKNOWN
