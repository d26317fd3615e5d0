"""Whether a fix did harm: what is worse after it than in the control period before it.

Only what the fix can have caused counts: the service itself, and what depends on it. Another service that breaks at the
same time is a trouble of its own."""

from statistics import median

from autonomyd.engine.managed import ManagedService
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.services import ServiceKeeper
from autonomyd.model.plan import Plan
from autonomyd.model.service import Intent, ServiceState
from autonomyd.model.step import write_set

LATENCY_FACTOR = 2.0
LATENCY_LEAST_MS = 50.0
"""Slower than in the control period: by this factor, and by this much at least."""
CONTROL_S = 600.0
ENOUGH_SAMPLES = 5
BROKEN = (ServiceState.FAILING, ServiceState.DOWN)


def harm_before(service: ManagedService, keeper: ServiceKeeper) -> frozenset[str]:
    """The services that depend on it and were well when the validation began."""
    children = (keeper.services[name] for name in keeper.children_of(service.name))
    return frozenset(child.name for child in children if child.state is ServiceState.UP)


def harm_done(
    plan: Plan,
    service: ManagedService,
    keeper: ServiceKeeper,
    monitoring: SelfMonitoringSystem,
    *,
    before: frozenset[str],
    since: float,
) -> str:
    """What got worse since the act at `since` (monotonic seconds), in words; "" when nothing did."""
    if not write_set(plan.steps):
        return ""  # it was down or broken before, and nothing that lasts was changed: there is nothing to take back
    for name in sorted(before):
        child = keeper.services.get(name)
        if child is None or child.intent is Intent.STOPPED or child.holders:
            continue
        if child.state in BROKEN:
            return f"{name}, which depends on it and was well before, is {child.state}"
    return _slower(plan, service, monitoring, since)


def _slower(plan: Plan, service: ManagedService, monitoring: SelfMonitoringSystem, since: float) -> str:
    issue = monitoring.book.get(plan.issue_id) if plan.issue_id is not None else None
    view = monitoring.metrics.view(service.subject, "latency_ms")
    if issue is None or view is None:
        return ""
    began = since - max(0.0, monitoring.clock.wall() - issue.opened_at)
    known = tuple(view.known())
    control = [value for at, value in known if began - CONTROL_S <= at < began]
    after = [value for at, value in known if at > since]
    if len(control) < ENOUGH_SAMPLES or len(after) < ENOUGH_SAMPLES:
        return ""
    usual, now = median(control), median(after)
    if now <= LATENCY_FACTOR * usual or now - usual < LATENCY_LEAST_MS:
        return ""
    return f"it answers in {now:.0f} ms; before the trouble it took {usual:.0f} ms"
