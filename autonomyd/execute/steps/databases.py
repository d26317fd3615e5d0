"""End database sessions, tidy SQLite files up."""

from typing import Protocol

from autonomyd.model.step import OptimizeSqlite, StepResult, TerminateSessions


class DatabaseActs(Protocol):
    """Who can do it; gives what was done, in words. Both raise StepFailure."""

    async def end(self, service_name: str, check: str, wanted: tuple[int, ...]) -> str: ...

    async def optimize(self, path: str, *, vacuum: bool) -> str: ...


class TerminateSessionsHandler:
    def __init__(self, acts: DatabaseActs) -> None:
        self._acts = acts

    async def apply(self, step: TerminateSessions) -> StepResult:
        return StepResult(ok=True, message=await self._acts.end(step.service, step.check, step.sessions))

    async def undo(self, step: TerminateSessions) -> None:
        """Declared irreversible: what a session had not committed is gone."""


class OptimizeSqliteHandler:
    def __init__(self, acts: DatabaseActs) -> None:
        self._acts = acts

    async def apply(self, step: OptimizeSqlite) -> StepResult:
        return StepResult(ok=True, message=await self._acts.optimize(step.path, vacuum=step.vacuum))

    async def undo(self, step: OptimizeSqlite) -> None:
        """There is nothing to take back: the content is the same."""
