"""The container of a service that fails; what could be removed from an engine whose disk fills."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from autonomyd.aio.clock import Clock
from autonomyd.engine.managed import ManagedService
from autonomyd.host.containers.engines import ContainerEngines
from autonomyd.host.machine import disk_subject
from autonomyd.host.mounts import mount_point_of
from autonomyd.model.facts import ContainerFacts
from autonomyd.model.issue import Issue, IssueType
from autonomyd.settings.container import ContainerControl
from autonomyd.settings.root import Settings

if TYPE_CHECKING:
    from autonomyd.host.containers.api import EngineApi

ABOUT_SERVICE = frozenset({IssueType.SERVICE_DOWN, IssueType.SERVICE_UNHEALTHY, IssueType.RESOURCE_EXHAUSTION})
HOUR_S = 3600.0


class ContainerReader:
    """Fills `Situation.container`."""

    field = "container"

    def __init__(self, clock: Clock, engines: ContainerEngines, settings: Callable[[], Settings]) -> None:
        self._clock = clock
        self._engines = engines
        self._settings = settings

    def wants(self, issue: Issue, service: ManagedService | None) -> bool:
        if service is not None:
            return isinstance(service.settings.control, ContainerControl) and issue.type in ABOUT_SERVICE
        return issue.subject.startswith("disk:") and self._settings().containers.prune

    async def read(self, issue: Issue, service: ManagedService | None) -> ContainerFacts | None:
        """None when the disk is not the one that the engine's data is on. Raises EngineFailure."""
        from autonomyd.host.containers.api import part
        from autonomyd.host.containers.inspected import state_of

        if service is None:
            return await self._reclaimable(self._engines.of().api, issue)
        control = service.settings.control
        assert isinstance(control, ContainerControl)
        api = self._engines.of(control.socket).api
        state = state_of(await api.ask("GET", f"/containers/{part(control.name)}/json"))
        return ContainerFacts(
            id=state.id,
            name=state.name,
            state=state.status,
            health=state.health,
            exit_code=None if state.status == "running" else state.exit_code,
            oom_killed=state.oom_killed,
            restarts=state.restarts,
        )

    async def _reclaimable(self, api: "EngineApi", issue: Issue) -> ContainerFacts | None:
        from autonomyd.host.containers.prune import data_folder, unused

        point = mount_point_of(await data_folder(api))
        if point is None or issue.subject != disk_subject(point):
            return None
        settings = self._settings()
        named = (each.control for each in settings.services.values())
        keep = frozenset(control.name for control in named if isinstance(control, ContainerControl))
        before = self._clock.wall() - settings.containers.prune_after_h * HOUR_S
        found = await unused(api, before=before, images=settings.containers.prune_images, keep=keep)
        return ContainerFacts(
            id="",
            name="",
            state="",
            removable=tuple(found.containers),
            unused_images=tuple(found.images),
            reclaimable_bytes=found.bytes,
        )
