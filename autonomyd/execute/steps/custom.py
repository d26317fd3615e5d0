"""Call what the embedding program registered."""

from collections.abc import Awaitable, Callable

from autonomyd.execute.handlers import StepFailure
from autonomyd.model.step import CallStrategy, StepResult


class CallHandler:
    def __init__(self, call: Callable[[str], Awaitable[StepResult]]) -> None:
        self._call = call

    async def apply(self, step: CallStrategy) -> StepResult:
        result = await self._call(step.name)
        if not result.ok:
            raise StepFailure(result.message)
        return result

    async def undo(self, step: CallStrategy) -> None:
        """What a program's own strategy did is the program's to undo."""
