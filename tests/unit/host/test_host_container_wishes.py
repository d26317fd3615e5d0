"""Who stopped a container, when the machine is slow: Podman's events come late, and all of them equally late."""

import asyncio
from typing import cast

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.host.containers.api import EngineApi
from autonomyd.host.containers.engine import ContainerEngine
from autonomyd.host.containers.inspected import ContainerState

IDENT = "ab" * 32
DIED_AT = 10.0**10
LATER_S = 5.0


class OneContainer(ContainerEngine):
    """Inspects without an engine."""

    status = "running"

    async def inspect(self, name: str) -> ContainerState:
        return ContainerState(id=IDENT, name=name, status=self.status)


@pytest.mark.looptime
@pytest.mark.parametrize(("told", "asked"), [("stop", True), ("cleanup", True), ("", False)])
@pytest.mark.parametrize("lag_s", [0.02, 0.5])
async def test_the_end_of_a_stop_may_be_as_late_as_its_beginning(lag_s: float, told: str, asked: bool) -> None:
    engine = OneContainer(cast(EngineApi, None), SystemClock())
    engine._lost, engine._cleans_up = "", True
    seen: list[ContainerState] = []
    await engine.watch("web", seen.append)
    engine.status = "exited"

    async def tell(action: str, at: float) -> None:
        actor = {"ID": IDENT, "Attributes": {"name": "web"}}
        engine._hear({"Action": action, "Actor": actor}, at)
        await engine.refresh("web")

    await tell("die", DIED_AT)
    await asyncio.sleep(lag_s)
    await tell("cleanup", DIED_AT + lag_s)
    await asyncio.sleep(2 * lag_s)
    if told:
        await tell(told, DIED_AT + 3 * lag_s)
    await asyncio.sleep(LATER_S)
    judged = [state for state in seen if state.status == "exited" and not state.settling]
    assert judged
    assert {state.asked for state in judged} == {asked}
