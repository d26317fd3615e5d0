"""Health per subject and overall, from the open issues and the states of the services."""

from collections.abc import Iterable, Mapping

from autonomyd.model.health import HealthStatus, Severity, SubjectHealth, worst
from autonomyd.model.issue import Issue, IssueState
from autonomyd.model.service import Intent, ServiceState
from autonomyd.model.subject import HOST, Subject, service_subject

_BY_STATE = {
    ServiceState.UP: HealthStatus.HEALTHY,
    ServiceState.STARTING: HealthStatus.HEALTHY,
    ServiceState.STOPPING: HealthStatus.HEALTHY,
    ServiceState.STOPPED: HealthStatus.HEALTHY,
    ServiceState.FAILING: HealthStatus.CRITICAL,
    ServiceState.DOWN: HealthStatus.CRITICAL,
    ServiceState.UNKNOWN: HealthStatus.UNKNOWN,
}


def health_of_issue(issue: Issue) -> HealthStatus:
    """A parked issue on something critical is `failing`: it is broken and the daemon gave up for now."""
    if issue.state is IssueState.MUTED or issue.severity is Severity.NOTICE:
        return HealthStatus.HEALTHY
    if issue.severity is Severity.WARNING:
        return HealthStatus.DEGRADED
    return HealthStatus.FAILING if issue.state is IssueState.PARKED else HealthStatus.CRITICAL


def subject_health(
    subject: Subject, issues: Iterable[Issue], *, state: ServiceState | None = None, known: bool = True
) -> SubjectHealth:
    """The health of one subject; `known` False when no sample of it could be taken."""
    found = [(health_of_issue(issue), issue.summary) for issue in issues]
    if state is not None and state is not ServiceState.UP:
        found.append((_BY_STATE[state], "" if state is ServiceState.UNKNOWN else f"it is {state}"))
    if not found:
        return SubjectHealth(subject=subject, status=HealthStatus.HEALTHY if known else HealthStatus.UNKNOWN)
    status = worst(each for each, _ in found)
    reason = next((text for each, text in found if each is status), "")
    return SubjectHealth(subject=subject, status=status, reason=reason)


def all_health(
    issues: Iterable[Issue], services: Mapping[str, tuple[ServiceState, Intent]], *, host_known: bool
) -> tuple[SubjectHealth, ...]:
    """The host, every service, and every other subject that has an issue."""
    by_subject: dict[Subject, list[Issue]] = {HOST: []}
    for issue in issues:
        by_subject.setdefault(issue.subject, []).append(issue)
    states = {service_subject(name): state for name, (state, _) in services.items()}
    for subject in states:
        by_subject.setdefault(subject, [])
    return tuple(
        subject_health(subject, found, state=states.get(subject), known=host_known if subject == HOST else True)
        for subject, found in by_subject.items()
    )
