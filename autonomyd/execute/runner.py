"""The one way for everything that acts: journal, backup, apply, validate, commit or roll back.

It gives every fix its turn: those that touch the same service or the same file one after another, others side by
side."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack

from autonomyd.aio.clock import Clock
from autonomyd.execute.filework import FileWork
from autonomyd.execute.handlers import Handlers
from autonomyd.execute.transaction import Journal, Means, Transaction, Validate, Validation
from autonomyd.model.fix import Fix, FixState
from autonomyd.model.issue import Transition
from autonomyd.model.plan import Plan
from autonomyd.model.step import write_set

__all__ = ["Journal", "Overtaken", "Runner", "Validate", "Validation"]


class Overtaken(Exception):  # noqa: N818 - it is an answer: nothing was done, and nothing needs to be
    """What was planned is no longer wanted; the message says why."""


class Runner:
    """Executes plans. `running` holds the fixes under way, as they stand. `runs` says whether a service has a process;
    without `files` a plan that writes into a file ends before anything is done."""

    def __init__(
        self,
        *,
        clock: Clock,
        handlers: Handlers,
        journal: Journal,
        validate: Validate,
        next_id: Callable[[], int],
        on_state: Callable[[Fix], None] = lambda fix: None,
        runs: Callable[[str], bool] = lambda name: False,
        files: FileWork | None = None,
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._next_id = next_id
        self._means = Means(
            clock=clock,
            handlers=handlers,
            journal=self._write_down,
            validate=validate,
            on_state=on_state,
            runs=runs,
            files=files,
        )
        self._locks: dict[str, asyncio.Lock] = {}
        self._adopted: dict[str, set[int]] = {}
        self.running: dict[int, Fix] = {}

    def busy(self, service: str | None) -> bool:
        """Whether a fix that touches this service is under way."""
        lock = self._locks.get(service or "")
        return lock is not None and lock.locked()

    async def run(self, plan: Plan, *, actor: str, overtaken: Callable[[], str] = lambda: "") -> Fix:
        """Carry `plan` out to its end; the Fix says what became of it. Does not raise for a step that fails.

        `overtaken` is asked when it is this plan's turn: words mean that things changed since it was made, and raise
        Overtaken before anything is done."""
        async with AsyncExitStack() as turn:
            for key in _turns(plan):
                await turn.enter_async_context(self._lock(key))
            why = overtaken()
            if why:
                raise Overtaken(why)
            now = self._clock.wall()
            fix = Fix(id=self._next_id(), plan=plan, state=FixState.PLANNED, actor=actor, started_at=now)
            try:
                return await Transaction(fix, self._means).run()
            finally:
                self.running.pop(fix.id, None)

    async def adopt(self, fixes: Iterable[Fix]) -> None:
        """Take over what the last run left unfinished: what it touches is busy until `settle` has ended each. Before
        the first `run`."""
        for fix in fixes:
            for key in _turns(fix.plan):
                if key not in self._adopted:
                    await self._lock(key).acquire()
                self._adopted.setdefault(key, set()).add(fix.id)
            self.running[fix.id] = fix

    async def settle(self, fix: Fix) -> Fix:
        """Finish an adopted fix: validate what was applied, take back what was half done, never apply again."""
        try:
            return await Transaction(fix, self._means).settle()
        finally:
            self.running.pop(fix.id, None)
            self._release(fix)

    def _lock(self, key: str) -> asyncio.Lock:
        return self._locks.setdefault(key, asyncio.Lock())

    def _release(self, fix: Fix) -> None:
        for key in _turns(fix.plan):
            self._adopted[key].discard(fix.id)
            if not self._adopted[key]:
                del self._adopted[key]
                self._lock(key).release()

    async def _write_down(self, fix: Fix, moves: tuple[Transition, ...]) -> None:
        self.running[fix.id] = fix
        await self._journal(fix, moves)


def _turns(plan: Plan) -> list[str]:
    """What a fix has for itself while it is under way: the services that it acts on ("": the host) and the paths that
    it writes. Always taken in this order, so that two fixes can't wait for one another."""
    return sorted({*plan.services, *write_set(plan.steps)} or {""})
