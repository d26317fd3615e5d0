"""Start, stop and restart a service."""

from typing import Protocol

from autonomyd.model.step import ReloadService, RestartService, StartService, StepResult, StopService, SwitchCommand


class ServiceHands(Protocol):
    """Who can start and stop services by name. All raise StepFailure."""

    async def start(self, name: str) -> str: ...

    async def stop(self, name: str, *, force: bool) -> str: ...

    async def restart(self, name: str) -> str: ...

    async def reload(self, name: str) -> str: ...

    async def switch(self, name: str, *, fallback: bool) -> str: ...

    def runs(self, name: str) -> bool: ...


class StartHandler:
    def __init__(self, hands: ServiceHands) -> None:
        self._hands = hands

    async def apply(self, step: StartService) -> StepResult:
        return StepResult(ok=True, message=await self._hands.start(step.service))

    async def undo(self, step: StartService) -> None:
        """A started service is left running: taking it down again would leave it worse than found."""


class StopHandler:
    def __init__(self, hands: ServiceHands) -> None:
        self._hands = hands

    async def apply(self, step: StopService) -> StepResult:
        return StepResult(ok=True, message=await self._hands.stop(step.service, force=step.force))

    async def undo(self, step: StopService) -> StepResult | None:
        """Never leave a service down that was up."""
        if self._hands.runs(step.service):
            return None
        return StepResult(ok=True, message=await self._hands.start(step.service))


class RestartHandler:
    def __init__(self, hands: ServiceHands) -> None:
        self._hands = hands

    async def apply(self, step: RestartService) -> StepResult:
        return StepResult(ok=True, message=await self._hands.restart(step.service))

    async def undo(self, step: RestartService) -> StepResult | None:
        """A restart that broke off half-way is finished: the service must run."""
        if self._hands.runs(step.service):
            return None
        return StepResult(ok=True, message=await self._hands.start(step.service))


class ReloadHandler:
    def __init__(self, hands: ServiceHands) -> None:
        self._hands = hands

    async def apply(self, step: ReloadService) -> StepResult:
        return StepResult(ok=True, message=await self._hands.reload(step.service))

    async def undo(self, step: ReloadService) -> StepResult:
        """The files it had read are back by now, if any were changed: it reads them again. Started when it is gone."""
        if not self._hands.runs(step.service):
            return StepResult(ok=True, message=await self._hands.start(step.service))
        return StepResult(ok=True, message=await self._hands.reload(step.service))


class SwitchHandler:
    def __init__(self, hands: ServiceHands) -> None:
        self._hands = hands

    async def apply(self, step: SwitchCommand) -> StepResult:
        return StepResult(ok=True, message=await self._hands.switch(step.service, fallback=step.fallback))

    async def undo(self, step: SwitchCommand) -> StepResult:
        return StepResult(ok=True, message=await self._hands.switch(step.service, fallback=not step.fallback))
