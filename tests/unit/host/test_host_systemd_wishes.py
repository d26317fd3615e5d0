"""Who stopped a unit, told by the order of a bus's signals: what a loaded machine makes late."""

import asyncio
from typing import Any

import pytest
from dbus_fast import Variant

from autonomyd.host.systemd import PROPERTIES, SystemdManager, UnitState, unit_path

BOUND, BASE = "bound.service", "base.service"
STOP_OF_BOUND, STOP_OF_BASE = 7, 8


class SlowBus:
    """Systemd as far as one bound unit goes; what it is asked about the other one, it answers when it is let."""

    connected = True

    def __init__(self) -> None:
        self.lets = asyncio.Event()

    async def add_match(self, rule: str) -> None:
        pass

    async def call(self, name: str, path: str, interface: str, member: str, *told: Any) -> list[Any]:
        body = told[1] if len(told) > 1 else ()
        if member == "ListUnitsByNames":
            return [[row(unit) for unit in body[0]]]
        if body[1] == "BindsTo":
            await self.lets.wait()
            return [Variant("as", [BASE])]
        return [Variant("u", 0)]


def row(unit: str) -> list[Any]:
    active = "active" if unit == BOUND else "inactive"
    return [unit, "", "loaded", active, "running", "", unit_path(unit), 0, "", "/"]


def moves(manager: SystemdManager, active: str, job: int) -> None:
    told = {"ActiveState": Variant("s", active), "Job": Variant("(uo)", [job, "/"])}
    manager._heard(unit_path(BOUND), "PropertiesChanged", [PROPERTIES, told, []])


@pytest.mark.parametrize(("base_was_stopped", "asked"), [(True, True), (False, False)])
async def test_a_base_that_is_down_before_it_is_asked_about_died_only_if_no_job_stopped_it(
    base_was_stopped: bool, asked: bool
) -> None:
    manager, bus = SystemdManager(), SlowBus()
    manager._bus = bus  # type: ignore[assignment]
    seen: list[UnitState] = []
    await manager.watch(BOUND, seen.append)
    moves(manager, "deactivating", STOP_OF_BOUND)
    await asyncio.sleep(0)
    moves(manager, "inactive", STOP_OF_BOUND)
    manager._heard("", "JobRemoved", [STOP_OF_BOUND, "/7", BOUND, "done"])
    if base_was_stopped:
        manager._heard("", "JobRemoved", [STOP_OF_BASE, "/8", BASE, "done"])
    bus.lets.set()
    await asyncio.gather(*manager._refreshing)
    assert seen[-1].active == "inactive"
    assert not seen[-1].stopping
    assert seen[-1].asked is asked
