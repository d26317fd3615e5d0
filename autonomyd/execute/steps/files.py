"""Remove the files that a preview named, each checked again just before."""

from collections.abc import Awaitable, Callable

from autonomyd.execute.handlers import StepFailure
from autonomyd.model.step import RemoveFiles, StepResult

MB = 1_000_000

Remove = Callable[[str, tuple[str, ...]], Awaitable[tuple[int, tuple[str, ...]]]]
"""(root, files) to (bytes freed, why each skipped file was skipped)."""


class RemoveFilesHandler:
    def __init__(self, remove: Remove) -> None:
        self._remove = remove

    async def apply(self, step: RemoveFiles) -> StepResult:
        freed, skipped = await self._remove(step.root, step.files)
        if freed == 0:
            raise StepFailure("nothing was removed: " + "; ".join(skipped))
        note = f"; left alone: {'; '.join(skipped)}" if skipped else ""
        return StepResult(
            ok=True,
            message=f"removed {len(step.files) - len(skipped)} files under {step.root}, {freed / MB:.1f} MB{note}",
            details={"freed_bytes": float(freed)},
        )

    async def undo(self, step: RemoveFiles) -> None:
        """Declared irreversible."""
