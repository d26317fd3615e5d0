"""The hands for services: one file for each kind of control, all of one shape (`protocol.ServiceControl`).

A new kind is one settings table, one file here, and one line in `make_control`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from autonomyd.aio.clock import Clock
from autonomyd.host.controls.command import ControlledCommand
from autonomyd.host.controls.process import ControlledProcess
from autonomyd.host.controls.protocol import ControlError, ErrorKind, OnChange, ServiceControl
from autonomyd.host.controls.systemd import ControlledUnit
from autonomyd.host.systemd import SystemdManager
from autonomyd.settings.container import ContainerControl, LaunchdControl
from autonomyd.settings.control import AnyControl, CommandControl, ProcessControl, SystemdControl
from autonomyd.settings.fallback import FallbackSettings

if TYPE_CHECKING:
    from autonomyd.host.containers.engine import ContainerEngine

__all__ = ["ControlError", "ErrorKind", "OnChange", "ServiceControl", "make_control"]


def make_control(
    name: str,
    settings: AnyControl,
    *,
    state_dir: Path,
    clock: Clock,
    instance: str,
    systemd: SystemdManager | None = None,
    fallback: FallbackSettings | None = None,
    engine: "ContainerEngine | None" = None,
) -> ServiceControl:
    """The control for one service. `instance` tells this daemon's services from another daemon's on the machine and
    must stay the same over restarts. Pass one shared `systemd` (and close it last): without one, every unit's control
    opens a D-Bus connection of its own. A container needs its `engine`."""
    match settings:
        case ProcessControl():
            return ControlledProcess(
                name, settings, state_dir=state_dir, clock=clock, instance=instance, second=fallback
            )
        case SystemdControl():
            return ControlledUnit(name, settings, manager=systemd)
        case CommandControl():
            return ControlledCommand(name, settings, state_dir=state_dir, clock=clock)
        case ContainerControl():
            from autonomyd.host.controls.container import ControlledContainer

            if engine is None:
                raise ValueError("a container's control needs its engine")
            return ControlledContainer(name, settings, engine=engine)
        case LaunchdControl():
            from autonomyd.host.controls.launchd import ControlledJob

            return ControlledJob(name, settings, clock=clock)
    assert_never(settings)
