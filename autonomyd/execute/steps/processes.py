"""End one process that is not the service's main one."""

from collections.abc import Awaitable, Callable

from autonomyd.execute.handlers import StepFailure
from autonomyd.model.step import EndProcess, StepResult

End = Callable[[int, int], Awaitable[str]]
"""(pid, start in clock ticks) to "" when it is gone, else why not. Raises PermissionError."""


class EndProcessHandler:
    def __init__(self, end: End) -> None:
        self._end = end

    async def apply(self, step: EndProcess) -> StepResult:
        try:
            why = await self._end(step.pid, step.started)
        except PermissionError as error:
            raise StepFailure(f"no permission to end pid {step.pid} ({step.why}): {error}") from error
        if why:
            raise StepFailure(f"{why} ({step.why})")
        return StepResult(ok=True, message=f"ended pid {step.pid} ({step.why})")

    async def undo(self, step: EndProcess) -> None:
        """Declared irreversible."""
