"""What new samples show after a fix. Only samples taken after the act count, and only known ones."""

import asyncio
from collections.abc import Callable

from autonomyd.aio.clock import Clock
from autonomyd.analyze.issuebook import IssueBook
from autonomyd.engine.harm import harm_before, harm_done
from autonomyd.engine.managed import ManagedService
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.services import ServiceKeeper
from autonomyd.engine.watching import ServiceWatch
from autonomyd.execute.runner import Validation
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Outcome
from autonomyd.model.issue import SOON, Issue
from autonomyd.model.plan import Plan
from autonomyd.model.reading import ReadingState
from autonomyd.model.service import Intent, RunState, ServiceState
from autonomyd.model.step import PruneContainers, RemoveFiles, SetProbeInterval, StopService
from autonomyd.model.subject import Subject

SAMPLES = 2
"""Good readings of every check, after the act, that count as enough."""
ALIVE_S = 1.0
"""A service without checks has to live this long."""
SETTLE_S = 3.0
"""What the daemon did of its own accord has to hold this long before it counts as healed ..."""
LIFE_FACTOR = 2.0
"""... or this many times as long as the process lived that ended last, if that was not long ..."""
SHORT_LIFE_S = 8.0
"""... which means at most this."""
WRONG_S = 2.5
"""A service whose configuration or release was changed, and that gives only wrong answers for this long after its
start, is not merely slow to start."""
EXTRA_S = 5.0
POLL_S = 0.25
TICK_S = 0.001
"""The shortest wait: a rest that is a rounding error would be waited for again and again."""

MEASURED = frozenset({Cause.CUSTOM, Cause.BLOCKED_SESSIONS, Cause.SQLITE_BLOATED, Cause.LOG_OUTGROWN})
"""Causes whose end a value of its own shows."""


class Verifier:
    """`validate` is the runner's: it waits for new samples and says what they show."""

    def __init__(
        self,
        *,
        clock: Clock,
        monitoring: SelfMonitoringSystem,
        keeper: ServiceKeeper,
        watch_of: Callable[[str], ServiceWatch | None],
        verify_s: Callable[[], float],
        suspect: Callable[[str], bool] = lambda name: False,
    ) -> None:
        self._clock = clock
        self._monitoring = monitoring
        self._keeper = keeper
        self._watch_of = watch_of
        self._verify_s = verify_s
        self._suspect = suspect

    @property
    def _book(self) -> IssueBook:
        return self._monitoring.book

    async def validate(self, plan: Plan, since: float) -> Validation:
        service = self._keeper.services.get(plan.service or "")
        if service is not None:
            return await self._service(plan, service, since)
        if any(isinstance(step, RemoveFiles | PruneContainers) for step in plan.steps):
            return await self._space(plan)
        if any(isinstance(step, SetProbeInterval) for step in plan.steps):
            return Validation(outcome=Outcome.HEALED, message="the interval is in force; its effect is measured later")
        return await self._symptom(plan, since)

    async def _service(self, plan: Plan, service: ManagedService, since: float) -> Validation:
        if isinstance(plan.steps[-1], StopService) and service.intent is Intent.STOPPED:
            gone = service.run.state is RunState.GONE
            return Validation(
                outcome=Outcome.HEALED if gone else Outcome.INEFFECTIVE,
                message="it has stopped" if gone else f"it still runs (pid {service.run.pid})",
            )
        watch = self._watch_of(service.name)
        if watch is not None:
            watch.verifying(True)
        try:
            found = await self._settled(plan, service, since)
            measured = plan.cause in MEASURED and found.outcome is Outcome.HEALED
            return (await self._cured(plan, service, since) or found) if measured else found
        finally:
            if watch is not None:
                watch.verifying(False)

    async def _cured(self, plan: Plan, service: ManagedService, since: float) -> Validation | None:
        """What is done against these causes may leave the process alone: that the checks pass says nothing then about a
        metric that was over its level all the same. None where the checks are all that the issue is about."""
        issue = self._issue(plan)
        if issue is None or issue.threshold is None:
            return None
        check = service.checks.get(issue.metric)
        if check is None:
            return await self._symptom(plan, since)
        latency_ms = check.last.values.get("latency_ms") if check.last is not None else None
        if latency_ms is None:
            return Validation(outcome=Outcome.UNVERIFIED, message=f"how long {check.name} takes was not told")
        outcome = Outcome.HEALED if latency_ms <= issue.threshold else Outcome.INEFFECTIVE
        words = f"{check.name} takes {latency_ms:.0f} ms, the level is {issue.threshold:g} ms"
        return Validation(outcome=outcome, message=words)

    async def _settled(self, plan: Plan, service: ManagedService, since: float) -> Validation:
        slowest_s = max((check.settings.timeout_s for check in service.checks.values()), default=0.0)
        hold_s = 0.0 if plan.cause is Cause.REQUESTED else _hold_s(service)
        longest_s = service.settings.verify_s or self._verify_s()
        wait_s = min(longest_s, service.settings.start_grace_s + SAMPLES * slowest_s + EXTRA_S + hold_s)
        deadline = since + wait_s
        before = harm_before(service, self._keeper)
        while True:
            now = self._clock.monotonic()
            if self._unwanted(plan):
                # the person's own stop waits for the end of this fix: it must not take as long as the checks
                return Validation(outcome=Outcome.UNVERIFIED, message="a person stopped it meanwhile")
            if service.run.state is RunState.GONE:
                return _ineffective(f"it ended again: {service.run.message}")
            if self._wrong_from_the_start(service, now):
                service.end_grace(now)
                self._keeper.update(service)
            if service.state is ServiceState.FAILING and _fails_since(service, since):
                return _ineffective(_still(service))
            worse = harm_done(plan, service, self._keeper, self._monitoring, before=before, since=since)
            if worse:
                return Validation(outcome=Outcome.WORSENED, message=worse)
            over = self._over(plan, service)
            if over:
                return _ineffective(over)
            if service.state is ServiceState.UP and self._enough(service, now, since, hold_s):
                return Validation(outcome=Outcome.HEALED, message=_well(service, now - since))
            if now >= deadline:
                return self._out_of_time(service, wait_s)
            changed = service.changed
            try:
                async with asyncio.timeout(_wait_s(deadline - now)):
                    await changed.wait()
            except TimeoutError:
                self._keeper.update(service)

    def _unwanted(self, plan: Plan) -> bool:
        touched = (self._keeper.services.get(name) for name in plan.services)
        return any(each is not None and each.intent is Intent.STOPPED for each in touched)

    def _enough(self, service: ManagedService, now: float, since: float, hold_s: float) -> bool:
        lived_s = now - max(service.settled_from, since)
        if service.checks:
            return service.verified(samples=SAMPLES, since=since) and lived_s >= hold_s - TICK_S
        return lived_s >= max(ALIVE_S, hold_s) - TICK_S

    def _over(self, plan: Plan, service: ManagedService) -> str:
        """The limit that the issue is about, exceeded again by what runs now; "" while it is not."""
        issue = self._issue(plan)
        watch = self._watch_of(service.name)
        if issue is None or watch is None or issue.metric not in watch.exceeded():
            return ""
        return f"{issue.metric} is over its limit again"

    def _wrong_from_the_start(self, service: ManagedService, now: float) -> bool:
        """Only where something else than patience is at hand: a change that can be taken back."""
        if service.state is not ServiceState.STARTING or not self._suspect(service.name):
            return False
        lasts_s = now - service.settled_from
        return lasts_s >= WRONG_S and any(
            check.last is not None
            and check.last.state is ReadingState.FAILED
            and bool(check.last.values)
            and not check.passes
            and check.last.at > service.settled_from
            for check in service.checks.values()
        )

    def _out_of_time(self, service: ManagedService, wait_s: float) -> Validation:
        if service.state is ServiceState.UNKNOWN:
            words = f"whether it runs is not known: {service.run.message}"
            return Validation(outcome=Outcome.UNVERIFIED, message=words)
        silent = [check.name for check in service.checks.values() if check.silent]
        if silent and service.state is ServiceState.UP:
            words = ", ".join(silent)
            return Validation(
                outcome=Outcome.UNVERIFIED, message=f"it runs, but {words} could not tell in {wait_s:.0f} s"
            )
        return _ineffective(f"it was not well after {wait_s:.0f} s: {_still(service)}")

    async def _space(self, plan: Plan) -> Validation:
        issue = self._issue(plan)
        if issue is None:
            return Validation(outcome=Outcome.HEALED, message="the space is enough again")
        probe = issue.subject if issue.subject.startswith("folder:") else "host"
        await self._monitoring.sampler.look_at(probe)
        metric = issue.metric.removesuffix(SOON)
        value = self._value(issue.subject, metric)
        if value is None:
            return Validation(outcome=Outcome.UNVERIFIED, message="how full it is now could not be read")
        # healed is what its detector calls cleared: between the two levels it would be raised again at once
        rule = self._monitoring.rule_of(issue.subject, metric)
        level = rule.clear if rule is not None else issue.threshold if issue.threshold is not None else 100.0
        words = f"{value:.1f} % are in use, it clears at {level:g} %"
        outcome = Outcome.HEALED if value <= level else Outcome.INEFFECTIVE
        return Validation(outcome=outcome, message=words)

    async def _symptom(self, plan: Plan, since: float) -> Validation:
        """A custom strategy: the metric that raised the issue must be known anew, and back."""
        issue = self._issue(plan)
        if issue is None or issue.threshold is None:
            return Validation(outcome=Outcome.UNVERIFIED, message="no metric tells whether it helped")
        deadline = since + self._verify_s()
        while (now := self._clock.monotonic()) < deadline:
            view = self._monitoring.metrics.view(issue.subject, issue.metric)
            newest = [value for at, value in view.known() if at > since] if view is not None else []
            if newest:
                rule = self._monitoring.rule_of(issue.subject, issue.metric)
                back = rule.back(newest[-1]) if rule is not None else newest[-1] <= issue.threshold
                words = f"{issue.metric} is {newest[-1]:.4g}, the level is {issue.threshold:g}"
                return Validation(outcome=Outcome.HEALED if back else Outcome.INEFFECTIVE, message=words)
            await asyncio.sleep(_wait_s(deadline - now))
        return Validation(outcome=Outcome.UNVERIFIED, message=f"no new sample of {issue.metric} came")

    def _issue(self, plan: Plan) -> Issue | None:
        return self._book.get(plan.issue_id) if plan.issue_id is not None else None

    def _value(self, subject: Subject, metric: str) -> float | None:
        return self._monitoring.metrics.last(subject, metric)


def _hold_s(service: ManagedService) -> float:
    """How long the service must be seen well: longer than what ended the last time soon after its start."""
    lived_s = service.lived_s or 0.0
    return SETTLE_S if lived_s > SHORT_LIFE_S / LIFE_FACTOR else max(SETTLE_S, LIFE_FACTOR * lived_s)


def _wait_s(left_s: float) -> float:
    return max(TICK_S, min(POLL_S, left_s))


def _fails_since(service: ManagedService, since: float) -> bool:
    """Whether a look that began after the act found it failing: a fix that leaves the process alone is not to be judged
    by what was seen before it."""
    if service.run.state is RunState.FROZEN:
        return True
    looks = (check.last for check in service.failing_checks() if check.last is not None)
    return any(look.state is ReadingState.FAILED and look.at - look.duration_s >= since for look in looks)


def _ineffective(message: str) -> Validation:
    return Validation(outcome=Outcome.INEFFECTIVE, message=message)


def _well(service: ManagedService, after_s: float) -> str:
    if service.checks:
        silent = ", ".join(check.name for check in service.checks.values() if check.silent)
        return f"all checks pass, {after_s:.2f} s after the act" + (f" ({silent} could not tell)" if silent else "")
    return f"it has been running for {after_s:.1f} s"


def _still(service: ManagedService) -> str:
    failing = [
        f"{check.name}: {check.last.message}" for check in service.checks.values() if check.last and check.passes == 0
    ]
    return "; ".join(failing) or f"it is {service.state}"
