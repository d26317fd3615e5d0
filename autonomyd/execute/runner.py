"""The one way for everything that acts: journal, backup, apply, validate, commit or roll back.

Each state is journaled before the act that it names, so that a restart of the daemon can finish the transaction.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.execute.handlers import Handlers, StepFailure
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.issue import Transition
from autonomyd.model.plan import Plan
from autonomyd.model.step import SetProbeInterval, Step

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What was observed after the act."""

    outcome: Outcome
    message: str


class Overtaken(Exception):  # noqa: N818 - it is an answer: nothing was done, and nothing needs to be
    """What was planned is no longer wanted; the message says why."""


Journal = Callable[[Fix, tuple[Transition, ...]], Awaitable[None]]
"""Puts the fix and its new transitions on disk; returns when they are."""
Validate = Callable[[Plan, float], Awaitable[Validation]]
"""(plan, monotonic time of the act) to what new samples show."""


class Runner:
    """Executes plans. Fixes of one service run one after another, those of different services side by side."""

    def __init__(
        self,
        *,
        clock: Clock,
        handlers: Handlers,
        journal: Journal,
        validate: Validate,
        next_id: Callable[[], int],
        on_state: Callable[[Fix], None] = lambda fix: None,
    ) -> None:
        self._clock = clock
        self._handlers = handlers
        self._journal = journal
        self._validate = validate
        self._next_id = next_id
        self._on_state = on_state
        self._locks: dict[str, asyncio.Lock] = {}
        self.running: dict[int, Fix] = {}

    def busy(self, service: str | None) -> bool:
        """Whether a fix of this service is under way."""
        lock = self._locks.get(service or "")
        return lock is not None and lock.locked()

    async def run(self, plan: Plan, *, actor: str, overtaken: Callable[[], str] = lambda: "") -> Fix:
        """Carry `plan` out to its end; the Fix says what became of it. Does not raise for a step that fails.

        `overtaken` is asked when it is this plan's turn: words mean that things changed since it was made, and raise
        Overtaken before anything is done."""
        lock = self._locks.setdefault(plan.service or "", asyncio.Lock())
        async with lock:
            why = overtaken()
            if why:
                raise Overtaken(why)
            now = self._clock.wall()
            fix = Fix(id=self._next_id(), plan=plan, state=FixState.PLANNED, actor=actor, started_at=now)
            try:
                return await self._transact(fix)
            finally:
                self.running.pop(fix.id, None)

    async def settle(self, fix: Fix) -> Fix:
        """Finish a fix that the last run left unfinished: validate what was applied, never apply again."""
        try:
            if all(isinstance(step, SetProbeInterval) for step in fix.plan.steps):
                # an interval lives in the process that set it: it went with the daemon
                gone = "the daemon ended during this change; the configured interval is in force again"
                return await self._end(fix, FixState.ROLLED_BACK, Validation(outcome=Outcome.ROLLED_BACK, message=gone))
            validation = await self._look(fix, self._clock.monotonic())
            message = f"the daemon ended during this fix; found on its return: {validation.message}"
            return await self._end(fix, FixState.COMMITTED, Validation(outcome=validation.outcome, message=message))
        finally:
            self.running.pop(fix.id, None)

    async def _transact(self, fix: Fix) -> Fix:
        # the steps that exist write into no file, so the backup is empty; its state is journaled all the same
        fix = await self._to(
            fix,
            (FixState.APPROVED, "every gate passed" if fix.plan.gates else "asked for"),
            (FixState.BACKED_UP, "no file is written"),
            (FixState.APPLYING, "; ".join(fix.plan.preview)),
            first=True,
        )
        log.info("fix_begins", fix=fix.id, strategy=fix.plan.strategy, service=fix.plan.service, actor=fix.actor)
        acted_at = self._clock.monotonic()
        done: list[Step] = []
        messages: list[str] = []
        try:
            for step in fix.plan.steps:
                done.append(step)
                messages.append((await self._handlers[type(step)].apply(step)).message)
        except StepFailure as error:
            return await self._roll_back(fix, done, str(error), Outcome.INEFFECTIVE)
        except Exception as error:
            log.exception("step_raised", fix=fix.id, strategy=fix.plan.strategy)
            return await self._roll_back(fix, done, f"{type(error).__name__}: {error}", Outcome.INEFFECTIVE)
        fix = replace(fix, message="; ".join(messages))
        fix = await self._to(fix, (FixState.APPLIED, fix.message), (FixState.VALIDATING, "on new samples"))
        validation = await self._look(fix, acted_at)
        if validation.outcome in (Outcome.HEALED, Outcome.UNVERIFIED):
            return await self._end(fix, FixState.COMMITTED, validation)
        return await self._roll_back(fix, done, validation.message, validation.outcome)

    async def _look(self, fix: Fix, since: float) -> Validation:
        """What new samples show. A validation that raises has shown nothing, and must not leave the fix without an
        end: it would count for no limit, and be made again at once."""
        try:
            return await self._validate(fix.plan, since)
        except Exception as error:
            log.exception("validation_raised", fix=fix.id, strategy=fix.plan.strategy)
            words = f"what it did could not be seen: {type(error).__name__}: {error}"
            return Validation(outcome=Outcome.UNVERIFIED, message=words)

    async def _roll_back(self, fix: Fix, done: list[Step], why: str, outcome: Outcome) -> Fix:
        fix = await self._to(fix, (FixState.ROLLING_BACK, why))
        undone: list[str] = []
        for step in reversed(done):
            try:
                result = await self._handlers[type(step)].undo(step)
            except StepFailure as error:
                return await self._not_undone(fix, f"{why}; undo: {error}")
            except Exception as error:
                log.exception("undo_raised", fix=fix.id, strategy=fix.plan.strategy)
                return await self._not_undone(fix, f"{why}; undo: {type(error).__name__}: {error}")
            if result is not None:
                undone.append(result.message)
        final = Outcome.ROLLED_BACK if undone and outcome is not Outcome.INEFFECTIVE else outcome
        message = "; ".join([why, *undone])
        return await self._end(fix, FixState.ROLLED_BACK, Validation(outcome=final, message=message))

    async def _not_undone(self, fix: Fix, message: str) -> Fix:
        return await self._end(fix, FixState.ROLLBACK_FAILED, Validation(outcome=Outcome.WORSENED, message=message))

    async def _end(self, fix: Fix, state: FixState, validation: Validation) -> Fix:
        ended = replace(fix, outcome=validation.outcome, message=validation.message, ended_at=self._clock.wall())
        ended = await self._to(ended, (state, validation.message))
        log.info(
            "fix_ended", fix=fix.id, strategy=fix.plan.strategy, service=fix.plan.service,
            outcome=validation.outcome.value, message=validation.message,
        )  # fmt: skip
        return ended

    async def _to(self, fix: Fix, *states: tuple[FixState, str], first: bool = False) -> Fix:
        """Journal the states, in one write, before what comes after them."""
        at = self._clock.wall()
        moves: list[Transition] = []
        if first:
            moves.append(Transition(at=at, before="", after=fix.state, cause=fix.plan.strategy, actor=fix.actor))
        before = fix.state
        for state, cause in states:
            moves.append(Transition(at=at, before=before, after=state, cause=cause, actor=fix.actor))
            before = state
        moved = replace(fix, state=before, transitions=fix.transitions + tuple(moves))
        self.running[moved.id] = moved
        await self._journal(moved, tuple(moves))
        self._on_state(moved)
        return moved
