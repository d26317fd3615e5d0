"""Recreate the container of a service; remove containers and images that nobody uses."""

from typing import Protocol

from autonomyd.execute.handlers import StepFailure
from autonomyd.model.step import PruneContainers, RecreateContainer, StepResult


class ContainerHands(Protocol):
    """Who can do it. All raise StepFailure."""

    async def recreate(self, service: str) -> str: ...

    async def take_back(self, service: str) -> str | None: ...

    async def prune(self, containers: tuple[str, ...], images: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
        """(how many went, why each other one stayed)."""


class RecreateHandler:
    def __init__(self, hands: ContainerHands) -> None:
        self._hands = hands

    async def apply(self, step: RecreateContainer) -> StepResult:
        return StepResult(ok=True, message=await self._hands.recreate(step.service))

    async def undo(self, step: RecreateContainer) -> StepResult | None:
        """The old container again. The names of the containers tell how far it had come."""
        words = await self._hands.take_back(step.service)
        return None if words is None else StepResult(ok=True, message=words)


class PruneHandler:
    def __init__(self, hands: ContainerHands) -> None:
        self._hands = hands

    async def apply(self, step: PruneContainers) -> StepResult:
        gone, kept = await self._hands.prune(step.containers, step.images)
        if gone == 0:
            raise StepFailure("nothing was removed: " + "; ".join(kept))
        note = f"; left alone: {'; '.join(kept)}" if kept else ""
        wanted = len(step.containers) + len(step.images)
        return StepResult(
            ok=True, message=f"removed {gone} of {wanted} containers and images{note}", details={"removed": float(gone)}
        )

    async def undo(self, step: PruneContainers) -> None:
        """Declared irreversible."""
