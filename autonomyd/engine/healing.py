"""SelfHealingSystem: from every open issue to a diagnosis, a plan or a refusal, a fix, an outcome.

The 30 s turn is the backstop; `wake` (a death, a new issue) comes at once. Every act goes through the one runner.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.analyze.diagnosis import diagnose
from autonomyd.engine.approvals import ApprovalDesk
from autonomyd.engine.history import WHOLE_HOST, FixHistory
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.pause import PauseSwitch
from autonomyd.engine.situation import SituationReader
from autonomyd.engine.standalone import alone
from autonomyd.engine.trust import Trust
from autonomyd.execute.playbooks import strategies as bundled
from autonomyd.execute.runner import Overtaken, Runner
from autonomyd.model.action import HealingAction
from autonomyd.model.decision import WhyNot
from autonomyd.model.diagnosis import Diagnosis
from autonomyd.model.facts import Situation
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.health import Severity
from autonomyd.model.issue import Issue, IssueState, IssueType
from autonomyd.model.plan import Plan, Refusal, RefusalReason
from autonomyd.model.service import Intent
from autonomyd.model.step import StepResult
from autonomyd.model.strategy import Strategy
from autonomyd.plan.guards.blast_radius import acts_of_the_hour
from autonomyd.plan.planner import decide

log = structlog.get_logger(__name__)

CustomStrategy = Callable[[Issue], Awaitable[HealingAction]]
RecordDecision = Callable[[int, Diagnosis | Plan | Refusal], None]
Hold = Callable[[str | None], AbstractContextManager[None]]
"""Takes a service in hand while a fix is under way."""
QUIET = frozenset({IssueState.FIXING, IssueState.VERIFYING, IssueState.PLANNED, IssueState.MUTED})
"""States in which an issue is not decided about: a fix is under way, or a person muted it."""
SOONEST_S = 0.05


class SelfHealingSystem:
    """`healing_strategies[IssueType.X] = coroutine function(issue) -> HealingAction` adds a strategy of your own."""

    def __init__(
        self,
        monitoring: SelfMonitoringSystem | None = None,
        *,
        situations: SituationReader | None = None,
        runner: Runner | None = None,
        record: RecordDecision = lambda issue_id, value: None,
        history: FixHistory | None = None,
        pause: PauseSwitch | None = None,
        trust: Trust | None = None,
        approvals: ApprovalDesk | None = None,
        hold: Hold | None = None,
        strategies: tuple[Strategy, ...] | None = None,
        interval_s: float = 30.0,
    ) -> None:
        self.healing_strategies: dict[IssueType, CustomStrategy] = {}
        self.strategies = list(bundled() if strategies is None else strategies)
        self.decisions: dict[int, Plan | Refusal] = {}
        self.diagnoses: dict[int, Diagnosis] = {}
        self.wake: Callable[[], None] = lambda: None
        self.after_fix: Callable[[Issue], None] = lambda issue: None
        self.only_told: Callable[[Issue], bool] = lambda issue: False
        self.interval_s = interval_s
        self.monitoring = monitoring or SelfMonitoringSystem()
        self._clock: Clock = self.monitoring.clock
        own = alone(self.monitoring, call=self.call_custom, on_state=self.on_fix_state)
        self._situations = situations or own.situations
        self._runner = runner or own.runner
        self._record = record
        self._history = history or own.history
        self._pause = pause or own.pause
        self._trust = trust or own.trust
        self._approvals = approvals or own.approvals
        self._hold: Hold = hold or own.keeper.held
        self._tasks: dict[int, asyncio.Task[Fix | None]] = {}
        self._due: dict[int, float] = {}
        self._draining = False

    async def tick(self) -> float:
        """One turn: decide about every open issue that is due; returns the seconds until the next is."""
        self._pause.expire()
        self._approvals.expire()
        self._trust.settle()
        if self._draining:
            return self.interval_s
        now = self._clock.monotonic()
        soonest = self.interval_s
        for issue in sorted(self.monitoring.book.open_issues(), key=self._parents_first):
            if issue.id in self._tasks or self._hands_off(issue):
                continue
            wait_s = self._due.get(issue.id, now) - now
            if wait_s > 0 and not self._changed_hope(issue):
                soonest = min(soonest, wait_s)
                continue
            await self.consider(issue)
            soonest = min(soonest, self._due.get(issue.id, now + soonest) - now)
        return max(SOONEST_S, soonest)

    async def consider(self, issue: Issue) -> Plan | Refusal | None:
        """Diagnose and decide; a plan is carried out in a task of its own, so that no issue waits for another.
        None when the issue was resolved before it could be judged."""
        situation = await self._situations.read(issue, self._custom(issue))
        current = self.monitoring.book.get(issue.id)
        if current is None or current.state in QUIET or self._in_hand(situation):
            return None
        issue = current
        situation = self._remembered(issue, situation)
        diagnosis = diagnose(issue, situation)
        decision = self._heard(issue, situation, decide(issue, diagnosis, situation, self.strategies))
        self._note(issue, diagnosis, decision)
        if isinstance(decision, Plan):
            self._begin(issue, decision)
        return decision

    async def look(self, issue: Issue) -> Diagnosis:
        """What is behind an issue that nobody has judged (a notice, which is never healed). Nothing is decided."""
        return diagnose(issue, self._remembered(issue, await self._situations.read(issue, None)))

    async def why_not(self, issue: Issue) -> WhyNot:
        """Every remedy held against `issue` as it is now, by the questions that decide; nothing is done or noted."""
        from autonomyd.plan.why_not import why_not  # only where a person asks

        situation = self._remembered(issue, await self._situations.read(issue, self._custom(issue)))
        diagnosis = diagnose(issue, situation)
        return WhyNot(
            issue_id=issue.id,
            summary=issue.summary,
            decision=self._hands_off(issue),
            cause=diagnosis.cause.cause if diagnosis.cause is not None else None,
            note=diagnosis.note,
            verdicts=why_not(issue, diagnosis, situation, self.strategies),
        )

    async def heal(self, issue: Issue) -> Fix | Refusal | None:
        """Deal with one open issue now and wait for the end: the Fix, or the Refusal that says why nothing is done.
        None when it is no longer open, in hand already, or overtaken by a person before the fix began."""
        decision = await self.consider(issue)
        if not isinstance(decision, Plan):
            return decision
        return await asyncio.shield(self._tasks[issue.id])

    async def close(self, *, timeout_s: float) -> None:
        """Wait for the fixes under way, at most `timeout_s`; what is unfinished then is settled at the next start.
        Meanwhile nothing new is begun."""
        tasks = list(self._tasks.values())
        if not tasks:
            return
        self._draining = True
        try:
            _, pending = await asyncio.wait(tasks, timeout=timeout_s)
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
        finally:
            self._draining = False

    async def call_custom(self, name: str) -> StepResult:
        """The runner's hand for a registered strategy."""
        kind = IssueType(name)
        # the fix's own task calls: two issues of one type must not be taken for one another
        own = next((id_ for id_, task in self._tasks.items() if task is asyncio.current_task()), None)
        issue = None if own is None else self.monitoring.book.get(own)
        strategy = self.healing_strategies.get(kind)
        if strategy is None or issue is None:
            return StepResult(ok=False, message=f"no strategy for {name} is registered any more")
        action = await strategy(issue)
        return StepResult(ok=action.success, message=action.description)

    def restore_wait(self, issue: Issue, *, longest_s: float) -> None:
        """An issue of the last run keeps the next try that was shown, at most `longest_s` away."""
        left_s = (issue.next_try_at or 0.0) - self._clock.wall()
        if left_s > 0:
            self._due[issue.id] = self._clock.monotonic() + min(left_s, longest_s)

    def try_again(self) -> None:
        """A person said so: no open issue waits any longer."""
        self._due.clear()
        for issue in self.monitoring.book.open_issues():
            self.monitoring.book.amend(issue, wall_now=self._clock.wall(), next_try_at=None)

    def forget(self, issue: Issue) -> None:
        """An issue was resolved: drop what was held about it."""
        self._trust.over(issue)
        self._approvals.over(issue)
        self._due.pop(issue.id, None)
        self.decisions.pop(issue.id, None)
        self.diagnoses.pop(issue.id, None)

    def _custom(self, issue: Issue) -> str | None:
        return issue.type.value if issue.type in self.healing_strategies else None

    def _hands_off(self, issue: Issue) -> str:
        """Why nothing is decided about it at all, in words; "" when it is decided about at every turn."""
        if issue.severity is Severity.NOTICE:
            return "it is a notice: nobody is worse off, so nothing is mended"
        if self.only_told(issue):
            return "it is foretold by what was never put to the test: telling is not acting"
        if issue.state in QUIET:
            return "a person muted it" if issue.state is IssueState.MUTED else "a fix is under way"
        return ""

    def _remembered(self, issue: Issue, situation: Situation) -> Situation:
        """The situation with what was learned, and with what people have said."""
        name = situation.service.name if situation.service else ""
        return replace(
            situation,
            learned=self._trust.learned(name),
            earned=self._trust.earned(name),
            calibration=self._trust.ledger.calibration(),
            consent=self._approvals.facts(issue, name),
        )

    def _heard(self, issue: Issue, situation: Situation, decision: Plan | Refusal) -> Plan | Refusal:
        """Let the decision be heard where it has to be: shadow mode notes it, the breaker trips, a person is asked."""
        self._trust.shadowed(issue, decision)
        if isinstance(decision, Refusal) and decision.reason is RefusalReason.BLAST_RADIUS and not situation.tripped:
            _, everywhere = acts_of_the_hour(situation)
            whole = situation.service is None or everywhere >= situation.limits.acts_per_hour_host
            scope = WHOLE_HOST if whole or situation.service is None else situation.service.name
            self._history.trip(scope, decision.gates[-1].saw)
        return self._approvals.asked(issue, decision)

    def _changed_hope(self, issue: Issue) -> bool:
        """Whether the reason of the last refusal may be gone already: another gate is asked at once."""
        refusal = self.decisions.get(issue.id)
        if not isinstance(refusal, Refusal):
            return False
        if refusal.reason is RefusalReason.PAUSED:
            return not self._pause.facts().paused
        return refusal.reason in (RefusalReason.PARENT_FAILED, RefusalReason.INTENT, RefusalReason.MAINTENANCE)

    def _note(self, issue: Issue, diagnosis: Diagnosis, decision: Plan | Refusal) -> None:
        before = self.decisions.get(issue.id)
        self.diagnoses[issue.id] = diagnosis
        self.decisions[issue.id] = decision
        book = self.monitoring.book
        wall = self._clock.wall()
        if isinstance(decision, Plan):
            self._due.pop(issue.id, None)  # what it waited for is over, whatever the clock said then
            self._record(issue.id, diagnosis)
            self._record(issue.id, decision)
            cause = f"{decision.cause.words}: {decision.strategy}"
            issue = book.move(issue, IssueState.DIAGNOSED, cause=f"cause: {decision.cause.words}", wall_now=wall)
            book.move(issue, IssueState.PLANNED, cause=cause, wall_now=wall)
            return
        state = IssueState.PARKED if decision.park else IssueState.REFUSED
        told = (before.reason, before.approval) if isinstance(before, Refusal) else None
        if told != (decision.reason, decision.approval) or issue.state is not state:
            log.info(
                "healing_refused",
                issue=issue.id,
                subject=issue.subject,
                reason=decision.reason.value,
                why=decision.message,
            )
            self._record(issue.id, diagnosis)
            self._record(issue.id, decision)
            if issue.state is not state:
                issue = book.move(issue, IssueState.DIAGNOSED, cause=_cause_words(diagnosis), wall_now=wall)
            issue = book.move(issue, state, cause=decision.message, wall_now=wall)
        book.amend(issue, wall_now=wall, next_try_at=decision.retry_at)
        if decision.retry_at is None:
            self._due.pop(issue.id, None)
        else:
            # by the monotonic clock from here on: setting the machine's time moves no try
            self._due[issue.id] = self._clock.monotonic() + decision.retry_at - wall

    def _begin(self, issue: Issue, plan: Plan) -> None:
        task = asyncio.get_running_loop().create_task(self._fix(issue, plan), name=f"fix-{issue.id}")
        self._tasks[issue.id] = task
        task.add_done_callback(lambda done: self._ended(issue.id, done))

    async def _fix(self, issue: Issue, plan: Plan) -> Fix | None:
        book = self.monitoring.book
        current = book.get(issue.id)
        if current is None:
            return None  # it was over before anything was done
        current = book.amend(current, wall_now=self._clock.wall(), attempts=current.attempts + 1)
        book.move(current, IssueState.FIXING, cause=plan.strategy, wall_now=self._clock.wall())
        try:
            with ExitStack() as held:
                for name in plan.services:
                    held.enter_context(self._hold(name))
                fix = await self._runner.run(
                    plan, actor=plan.approved_by or "autonomyd", overtaken=lambda: self._overtaken(issue)
                )
        except Overtaken as why:
            book.move(current, IssueState.DIAGNOSED, cause=f"nothing was done: {why}", wall_now=self._clock.wall())
            return None
        self._history.add(fix, issue)
        self.finish(issue, fix)
        return fix

    def finish(self, issue: Issue, fix: Fix) -> None:
        """Bring an issue to where the end of its fix leaves it."""
        book = self.monitoring.book
        current = book.get(issue.id)
        if current is None:
            return
        wall = self._clock.wall()
        if current.state is IssueState.FIXING:
            current = book.move(current, IssueState.VERIFYING, cause="looking at new samples", wall_now=wall)
        if fix.outcome is Outcome.HEALED:
            book.move(current, IssueState.RESOLVED, cause=fix.message, wall_now=wall)
        else:
            word = fix.outcome.value if fix.outcome else "unverified"
            book.move(
                current, IssueState.DIAGNOSED, cause=f"{fix.plan.strategy} was {word}: {fix.message}", wall_now=wall
            )

    def on_fix_state(self, fix: Fix) -> None:
        """The runner moved a fix: its issue follows into verification. Issues that waited for its end are looked at."""
        if fix.ended_at is not None:
            self.wake()
        if fix.state is not FixState.VALIDATING or fix.plan.issue_id is None:
            return
        issue = self.monitoring.book.get(fix.plan.issue_id)
        if issue is not None and issue.state is IssueState.FIXING:
            self.monitoring.book.move(
                issue, IssueState.VERIFYING, cause="looking at new samples", wall_now=self._clock.wall()
            )

    def _in_hand(self, situation: Situation) -> bool:
        """Whether a fix that touches the same service is under way: what is known of it is about to be old."""
        if situation.service is None:
            return False
        name = situation.service.name
        planned = (self.decisions.get(issue_id) for issue_id in self._tasks)
        return self._runner.busy(name) or any(isinstance(each, Plan) and name in each.services for each in planned)

    def _overtaken(self, issue: Issue) -> str:
        """What changed between the decision and its turn, in words; "" when it still stands."""
        if self._pause.facts().paused:
            return "automation was paused meanwhile"
        service = self._situations.service_of(issue)
        if service is not None and service.intent is Intent.STOPPED:
            return f"{service.name} was stopped by a person meanwhile"
        return ""

    def _ended(self, issue_id: int, task: "asyncio.Task[Fix | None]") -> None:
        self._tasks.pop(issue_id, None)
        issue = self.monitoring.book.get(issue_id)
        if not task.cancelled() and task.exception() is not None:
            log.error("fix_task_failed", issue=issue_id, exc_info=task.exception())
            # no end of it is known to the gates: without this wait it would be planned again at once, for ever
            self._due[issue_id] = self._clock.monotonic() + self.interval_s
            if issue is not None and issue.state in (IssueState.FIXING, IssueState.VERIFYING, IssueState.PLANNED):
                self.monitoring.book.move(
                    issue,
                    IssueState.DIAGNOSED,
                    cause=f"the fix broke off: {task.exception()}",
                    wall_now=self._clock.wall(),
                )
        if issue is not None and not task.cancelled():
            self.after_fix(issue)
        self.wake()

    def _parents_first(self, issue: Issue) -> int:
        return self._situations.rank(issue)


def luck() -> float:
    """Chance for spreading waits, 0..1."""
    return random.random()


def _cause_words(diagnosis: Diagnosis) -> str:
    return f"cause: {diagnosis.cause.cause.words}" if diagnosis.cause else f"undetermined: {diagnosis.note}"
