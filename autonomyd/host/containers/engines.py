"""The container engines that are in use, one for each socket: controls, checks and steps share its event stream.

The client itself is imported with the first engine: a daemon without containers does not pay for it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from autonomyd.aio.clock import Clock
from autonomyd.aio.dependency import Dependencies

if TYPE_CHECKING:
    from autonomyd.host.containers.engine import ContainerEngine

FAMILY = "containers"


class ContainerEngines:
    """`default_socket` is asked for whoever names none; None lets the engine be looked for at the usual places."""

    def __init__(self, clock: Clock, dependencies: Dependencies, default_socket: Callable[[], str | None]) -> None:
        self._clock = clock
        self._dependencies = dependencies
        self._default_socket = default_socket
        self._engines: dict[str, ContainerEngine] = {}

    def of(self, socket: str | None = None) -> "ContainerEngine":
        """The engine at `socket`, not yet connected."""
        named = socket or self._default_socket() or ""
        engine = self._engines.get(named)
        if engine is None:
            from autonomyd.host.containers.api import EngineApi
            from autonomyd.host.containers.engine import ContainerEngine

            api = EngineApi(named or None, self._dependencies.of(FAMILY, named))
            engine = self._engines[named] = ContainerEngine(api, self._clock)
        return engine

    async def close(self) -> None:
        for engine in self._engines.values():
            await engine.close()
        self._engines.clear()
