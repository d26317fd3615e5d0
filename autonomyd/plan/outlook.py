"""The state, the machine, the hour and the aim of a decision in words: what is written down beside it. Pure."""

from autonomyd.model.decision import MomentFacts
from autonomyd.model.facts import Situation
from autonomyd.model.issue import Issue
from autonomyd.model.strategy import Strategy
from autonomyd.model.words import counted, duration


def state_words(issue: Issue, situation: Situation) -> str:
    """How the subject is."""
    lasts = duration(situation.wall_now - issue.opened_at)
    age = f"{issue.severity} for {lasts}, tried {counted(issue.attempts, 'time')}"
    service = situation.service
    if service is None:
        return f"{issue.subject}: {age}"
    failing = [check.name for check in service.checks if check.failing]
    checks = (
        f"{', '.join(failing)} fail" if len(failing) > 1 else f"{failing[0]} fails" if failing else "no check fails"
    )
    over = f", over its limit of {', '.join(service.exceeded)}" if service.exceeded else ""
    return f"{service.name} is {service.state}, its process {service.run}, {checks}{over}; {age}"


def health_words(moment: MomentFacts) -> str:
    """How the machine is."""
    figures = (
        ("CPU", moment.cpu_percent),
        ("memory", moment.memory_percent),
        ("waiting for memory", moment.memory_pressure_percent),
    )
    known = [f"{name} {value:.0f} %" for name, value in figures if value is not None]
    return ", ".join(known) or "not known"


def time_words(moment: MomentFacts) -> str:
    """What hour it is."""
    if moment.busy is None:
        hour = f"busy or quiet is not known ({moment.busy_why})" if moment.busy_why else "busy or quiet is not known"
    else:
        hour = f"a {'busy' if moment.busy else 'quiet'} hour ({moment.busy_why})"
    return hour if moment.left_s is None else f"{hour}; {duration(moment.left_s)} left"


def success_words(issue: Issue, situation: Situation, strategy: Strategy | None) -> str:
    """What has to be seen after the fix."""
    parts = []
    service = situation.service
    if service is not None:
        checks = ", ".join(check.name for check in service.checks if check.about_service)
        parts.append(f"its process runs{f' and {checks} pass' if checks else ''}")
    if issue.threshold is not None:
        parts.append(f"{issue.metric} is back within {issue.threshold:g}")
    check = getattr(strategy, "validation", None)
    if check is not None:
        parts.append(f"`{' '.join(check.argv)}` says so")
    return "; ".join(parts) or "the detector sees it no more"
