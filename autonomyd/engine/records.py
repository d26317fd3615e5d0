"""What is remembered: one ordered way from the loops into the store, and the reads that status and explain need.

Changes are queued in the order in which they happened; the journal of a fix goes through the same queue and returns
when it is on disk.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.aio.dependency import BreakerChange
from autonomyd.knowledge.approvals import Approvals
from autonomyd.knowledge.candidates import Candidates
from autonomyd.knowledge.errors import StoreUnavailable
from autonomyd.knowledge.events import Events
from autonomyd.knowledge.fixes import Fixes
from autonomyd.knowledge.goals import Goals
from autonomyd.knowledge.issues import Issues
from autonomyd.knowledge.known_good import KnownGoods
from autonomyd.knowledge.outbox import Outbox
from autonomyd.knowledge.outcomes import Outcomes
from autonomyd.knowledge.predictions import Predictions
from autonomyd.knowledge.rollups import Rollups
from autonomyd.knowledge.shadow import Shadow
from autonomyd.knowledge.states import States
from autonomyd.knowledge.store import Kind, Store
from autonomyd.model.alert import Alert, Message
from autonomyd.model.candidate import OptimizationCandidate
from autonomyd.model.diagnosis import Diagnosis
from autonomyd.model.event import Event
from autonomyd.model.fix import Fix
from autonomyd.model.goal import Goal
from autonomyd.model.issue import Issue, Transition
from autonomyd.model.known_good import GoodState
from autonomyd.model.plan import Plan, Refusal
from autonomyd.model.prediction import Prediction
from autonomyd.model.service import Intent
from autonomyd.model.status import PauseStatus
from autonomyd.model.subject import HOST, Subject, service_subject
from autonomyd.model.trust import Approval, Consent, Lesson, ShadowCase

log = structlog.get_logger(__name__)

BUDGET_RESET = "budget_reset_at"
TRIPPED = "budget_tripped"

Job = Callable[[], Awaitable[None]]


class Records:
    """Wraps one store once it is open; `issues`, `fixes`, ... are its repositories, for reading."""

    store: Store
    issues: Issues
    fixes: Fixes
    goals: Goals
    candidates: Candidates
    events: Events
    states: States
    outcomes: Outcomes
    approvals: Approvals
    shadow: Shadow
    known_goods: KnownGoods
    outbox: Outbox
    predictions: Predictions
    rollups: Rollups

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._passing_ids = count(1)
        self._queue: list[Job] = []
        self._writing = asyncio.Lock()
        self._writer: asyncio.Task[None] | None = None
        self.on_event: Callable[[Event], None] = lambda event: None
        self.attached = False

    def attach(self, store: Store) -> None:
        """Write into `store` from now on."""
        self.attached = True
        self.store = store
        self.issues = Issues(store)
        self.fixes = Fixes(store)
        self.goals = Goals(store)
        self.candidates = Candidates(store)
        self.events = Events(store)
        self.outbox = Outbox(store)
        self.states = States(store, clock=self._clock)
        self.outcomes = Outcomes(store)
        self.approvals = Approvals(store)
        self.shadow = Shadow(store)
        self.known_goods = KnownGoods(store)
        self.predictions = Predictions(store)
        self.rollups = Rollups(store)

    def next_id(self, kind: Kind) -> int:
        """A new id; before the store is attached one that nothing will remember."""
        return self.store.next_id(kind) if self.attached else next(self._passing_ids)

    def issue(self, issue: Issue, transition: Transition | None) -> None:
        moves = () if transition is None else (transition,)
        self._later(lambda: self.issues.save(issue, *moves))

    def decision(self, issue_id: int, value: Plan | Refusal | Diagnosis) -> None:
        at = self._clock.wall()
        self._later(lambda: self.issues.decide(issue_id, value, at=at))

    def goal(self, goal: Goal) -> None:
        self._later(lambda: self.goals.save(goal))

    def candidate(self, candidate: OptimizationCandidate) -> None:
        self._later(lambda: self.candidates.save(candidate))

    async def told(self, *values: Alert | Message) -> None:
        """On disk when it returns: what people are to be told must survive everything."""
        await self._now(lambda: self.outbox.save(*values, durable=any(isinstance(each, Message) for each in values)))

    def message(self, message: Message) -> None:
        """What became of a message."""
        self._later(lambda: self.outbox.save(message))

    def event(
        self, kind: str, subject: Subject, message: str, *, actor: str = "autonomyd", at: float | None = None
    ) -> None:
        """A line of the diary; `at` (epoch seconds) when it tells of what happened earlier."""
        wall = self._clock.wall() if at is None else at
        event = Event(at=wall, kind=kind, subject=subject, message=message, actor=actor)
        self._later(lambda: self.events.add(event))
        self.on_event(event)

    def dependency(self, change: BreakerChange) -> None:
        """A circuit breaker opened or closed."""
        self.event(f"dependency_{change.after}", HOST, f"{change.name}: {change.message}")

    def known_good(self, good: GoodState) -> None:
        self._later(lambda: self.known_goods.save(good))

    def pause(self, status: PauseStatus) -> None:
        until = "" if status.until is None else " for a while"
        words = f"automation is paused{until}" if status.paused else "automation goes on"
        self.event("pause", HOST, f"{words}: {status.reason}" if status.reason else words, actor=status.actor)
        self._later(lambda: self.states.set_pause(status))

    def forget(self, key: str) -> None:
        """Keep nothing under `key` any more."""
        self._later(lambda: self.states.remove(key))

    def remember(self, key: str, value: float | Mapping[str, Any]) -> None:
        """Keep a single value under `key`."""
        self._later(lambda: self.states.put(key, value))

    def budget_reset(self) -> None:
        """A person reset the budget of disruptive acts now."""
        at = self._clock.wall()
        self._later(lambda: self.states.put(BUDGET_RESET, at, durable=True))

    def tripped(self, tripped: Mapping[str, str]) -> None:
        """What the breaker of the blast radius holds now, by service ("": the whole host)."""
        for service, why in tripped.items():
            self.event("budget_tripped", service_subject(service) if service else HOST, why)
        self._later(lambda: self.states.put(TRIPPED, tripped, durable=True))

    async def restored_tripped(self) -> Mapping[str, str]:
        found = await self.read(lambda: self.states.get(TRIPPED), {})
        return {str(key): str(why) for key, why in found.items()} if isinstance(found, dict) else {}

    def lesson(self, lesson: Lesson) -> None:
        self._later(lambda: self.outcomes.add(lesson))

    def shadow_case(self, case: ShadowCase) -> None:
        self._later(lambda: self.shadow.save(case))

    def prediction(self, prediction: Prediction) -> None:
        self._later(lambda: self.predictions.save(prediction))

    def approval(self, approval: Approval) -> None:
        self._later(lambda: self.approvals.save(approval))

    async def answered(self, approval: Approval) -> None:
        """On disk when it returns: a person's word must survive everything."""
        await self._now(lambda: self.approvals.save(approval))

    async def allowed(self, consent: Consent) -> None:
        """On disk when it returns."""
        await self._now(lambda: self.approvals.allow(consent))

    async def revoked(self, *consents: Consent) -> None:
        """On disk when it returns."""
        for consent in consents:
            await self._now(lambda each=consent: self.approvals.revoke(each))  # type: ignore[misc]

    def told_of(self, kind: str, service: str, message: str, actor: str) -> None:
        """A line of the diary about a service ("": about the host)."""
        self.event(kind, service_subject(service) if service else HOST, message, actor=actor)

    async def restored_budget_reset(self) -> float:
        """When the budget was reset last, epoch seconds; 0 when never."""
        at = await self.read(lambda: self.states.get(BUDGET_RESET), None)
        return float(at) if isinstance(at, int | float) else 0.0

    async def intent(self, service: str, intent: Intent) -> None:
        """On disk when it returns: a person's word must survive everything."""
        await self._now(lambda: self.states.set_intent(service, intent))

    def fix_moved(self, fix: Fix) -> None:
        """The end of a fix is a line of the diary."""
        if fix.ended_at is not None and fix.outcome is not None:
            subject = service_subject(fix.plan.service) if fix.plan.service else HOST
            self.event("fix_ended", subject, f"{fix.plan.strategy}: {fix.outcome}: {fix.message}", actor=fix.actor)

    def intent_outside(self, service: str, intent: Intent, *, manager: str) -> None:
        """The same for a wish that was heard of (`manager` was asked: systemd, container), and not asked for here."""
        word = intent.value
        self.event(f"service_{word}_outside", service_subject(service), f"{word} through {manager}", actor=manager)
        self._later(lambda: self.states.set_intent(service, intent))

    async def journal(self, fix: Fix, _: tuple[Transition, ...]) -> None:
        """On disk when it returns, together with everything that happened before it."""
        await self._now(lambda: self.fixes.save(fix))

    async def read(self, call: Callable[[], Awaitable[Any]], default: Any) -> Any:
        """The answer of a repository; `default` when the database can't be read at the moment."""
        await self.drained()
        try:
            return await call()
        except StoreUnavailable as error:
            log.warning("store_unreadable", reason=str(error))
            return default

    async def restored_pause(self) -> PauseStatus:
        return await self.read(self.states.pause, PauseStatus(paused=False))  # type: ignore[no-any-return]

    async def restored_intents(self) -> Mapping[str, Intent]:
        return await self.read(self.states.intents, {})  # type: ignore[no-any-return]

    async def drained(self) -> None:
        """Return when everything queued so far has been taken by the store."""
        if self._queue or self._writing.locked():
            await self._drain()

    async def close(self) -> None:
        await self.drained()
        if self._writer is not None:
            await self._writer
        self.attached = False
        await self.store.close()

    def _later(self, job: Job) -> None:
        if not self.attached:
            return  # before the start and after the end there is nothing that could be remembered
        self._queue.append(job)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._drain())

    async def _now(self, job: Job) -> None:
        self._queue.append(job)
        await self._drain()

    async def _drain(self) -> None:
        async with self._writing:
            while self._queue:
                await self._queue.pop(0)()
