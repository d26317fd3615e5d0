"""The runner's hands for containers, and what happens to a kept container when its fix has ended well."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from autonomyd.engine.services import ServiceKeeper
from autonomyd.execute.handlers import StepFailure
from autonomyd.host.controls.protocol import ControlError
from autonomyd.model.fix import Fix, FixState
from autonomyd.model.service import ServiceRun
from autonomyd.model.step import RecreateContainer

if TYPE_CHECKING:
    from autonomyd.host.containers.api import EngineApi
    from autonomyd.host.controls.container import ControlledContainer

log = structlog.get_logger(__name__)


class ContainerKeeper:
    """Implements the steps' `ContainerHands`. `api` is that of the default engine."""

    def __init__(self, keeper: ServiceKeeper, api: "Callable[[], EngineApi]") -> None:
        self._keeper = keeper
        self._api = api
        self._letting_go: set[asyncio.Task[None]] = set()

    async def recreate(self, service: str) -> str:
        control = self._control(service)
        said: list[str] = []

        async def act() -> ServiceRun:
            run, words = await control.recreate()
            said.append(words)
            return run

        await self._keeper.operate(service, act)
        return "".join(said)

    async def take_back(self, service: str) -> str | None:
        control = self._control(service)
        said: list[str | None] = []

        async def act() -> ServiceRun:
            said.append(await control.take_back())
            return control.observe()

        await self._keeper.operate(service, act)
        return said[0]

    async def prune(self, containers: tuple[str, ...], images: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
        from autonomyd.host.containers.api import EngineFailure
        from autonomyd.host.containers.prune import remove_containers, remove_images

        api = self._api()
        try:
            gone, kept = await remove_containers(api, containers)
            more, left = await remove_images(api, images)
        except EngineFailure as error:
            raise StepFailure(str(error)) from error
        return gone + more, kept + left

    def fix_moved(self, fix: Fix) -> None:
        """A fix that stands lets go of the containers that it had put aside."""
        if fix.state is not FixState.COMMITTED:
            return
        for step in fix.plan.steps:
            if isinstance(step, RecreateContainer):
                task = asyncio.get_running_loop().create_task(self._let_go(step.service), name="container-let-go")
                self._letting_go.add(task)
                task.add_done_callback(self._letting_go.discard)

    async def close(self) -> None:
        """What was not let go of yet is at the next time that the container is made anew."""
        for task in tuple(self._letting_go):
            task.cancel()
        await asyncio.gather(*self._letting_go, return_exceptions=True)

    async def _let_go(self, service: str) -> None:
        try:
            words = await self._control(service).keep()
        except (ControlError, StepFailure) as error:
            log.warning("old_container_stays", service=service, reason=str(error))
        else:
            log.info("old_container_removed", service=service, message=words or "there was none")

    def _control(self, service: str) -> "ControlledContainer":
        from autonomyd.host.controls.container import ControlledContainer

        managed = self._keeper.services.get(service)
        if managed is None or not isinstance(managed.control, ControlledContainer):
            raise StepFailure(f"{service} is no container")
        return managed.control
