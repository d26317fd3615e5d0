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
from autonomyd.knowledge.candidates import Candidates
from autonomyd.knowledge.errors import StoreUnavailable
from autonomyd.knowledge.events import Events
from autonomyd.knowledge.fixes import Fixes
from autonomyd.knowledge.goals import Goals
from autonomyd.knowledge.issues import Issues
from autonomyd.knowledge.states import States
from autonomyd.knowledge.store import Kind, Store
from autonomyd.model.candidate import OptimizationCandidate
from autonomyd.model.diagnosis import Diagnosis
from autonomyd.model.event import Event
from autonomyd.model.fix import Fix
from autonomyd.model.goal import Goal
from autonomyd.model.issue import Issue, Transition
from autonomyd.model.plan import Plan, Refusal
from autonomyd.model.service import Intent
from autonomyd.model.status import PauseStatus
from autonomyd.model.subject import HOST, Subject, service_subject

log = structlog.get_logger(__name__)

BUDGET_RESET = "budget_reset_at"

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

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._passing_ids = count(1)
        self._queue: list[Job] = []
        self._writing = asyncio.Lock()
        self._writer: asyncio.Task[None] | None = None
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
        self.states = States(store, clock=self._clock)

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

    def event(self, kind: str, subject: Subject, message: str, *, actor: str = "autonomyd") -> None:
        event = Event(at=self._clock.wall(), kind=kind, subject=subject, message=message, actor=actor)
        self._later(lambda: self.events.add(event))

    def pause(self, status: PauseStatus) -> None:
        until = "" if status.until is None else " for a while"
        words = f"automation is paused{until}" if status.paused else "automation goes on"
        self.event("pause", HOST, f"{words}: {status.reason}" if status.reason else words, actor=status.actor)
        self._later(lambda: self.states.set_pause(status))

    def budget_reset(self) -> None:
        """A person reset the budget of disruptive acts now."""
        at = self._clock.wall()
        self._later(lambda: self.states.put(BUDGET_RESET, at, durable=True))

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

    def intent_outside(self, service: str, intent: Intent) -> None:
        """The same for a wish that was heard of (systemd was asked), and not asked for here."""
        word = intent.value
        self.event(f"service_{word}_outside", service_subject(service), f"{word} through systemd", actor="systemd")
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
