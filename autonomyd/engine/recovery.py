"""At the start: every fix that the last run left unfinished is finished, before anything new is done to its service."""

import asyncio
from contextlib import ExitStack

import structlog

from autonomyd.engine.parts import Parts
from autonomyd.model.fix import Fix
from autonomyd.model.issue import Issue

log = structlog.get_logger(__name__)


class Recovery:
    """First `take_over`, then (with the services there and the loops running) `settle`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._fixes: list[Fix] = []

    async def take_over(self) -> frozenset[int]:
        """Find the unfinished fixes; from now on their services are busy. Returns the ids of their issues."""
        records = self._parts.records
        self._fixes = await records.read(records.fixes.unfinished, [])
        await self._parts.runner.adopt(self._fixes)
        return frozenset(fix.plan.issue_id for fix in self._fixes if fix.plan.issue_id is not None)

    async def settle(self) -> None:
        """Validate or take back each of them, and tell its issue. They count for the limits like any other: else a fix
        that takes the daemon down with it would be made without end."""
        await asyncio.gather(*(self._settle(fix) for fix in self._fixes))

    async def _settle(self, fix: Fix) -> None:
        parts = self._parts
        log.warning("fix_recovered", fix=fix.id, strategy=fix.plan.strategy, state=fix.state.value)
        with ExitStack() as held:
            for name in fix.plan.services:
                held.enter_context(parts.keeper.held(name))
            settled = await parts.runner.settle(fix)
        issue = await self._issue(fix)
        if issue is not None:
            parts.history.add(settled, issue)
            parts.healing.finish(issue, settled)
            parts.healing.after_fix(issue)
        parts.healing.wake()

    async def _issue(self, fix: Fix) -> Issue | None:
        issue_id, records = fix.plan.issue_id, self._parts.records
        if issue_id is None:
            return None
        found = self._parts.monitoring.book.get(issue_id)
        stored: Issue | None = found or await records.read(lambda: records.issues.get(issue_id), None)
        return stored
