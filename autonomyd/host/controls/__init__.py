"""The hands for services: one file for each kind of control, all of one shape (`protocol.ServiceControl`).

A new kind is one settings table, one file here, and one line in `make_control`.
"""

from pathlib import Path
from typing import assert_never

from autonomyd.aio.clock import Clock
from autonomyd.host.controls.command import ControlledCommand
from autonomyd.host.controls.process import ControlledProcess
from autonomyd.host.controls.protocol import ControlError, ErrorKind, OnChange, ServiceControl
from autonomyd.host.controls.systemd import ControlledUnit
from autonomyd.host.systemd import SystemdManager
from autonomyd.settings.control import CommandControl, ProcessControl, SystemdControl

__all__ = ["ControlError", "ErrorKind", "OnChange", "ServiceControl", "make_control"]


def make_control(
    name: str,
    settings: ProcessControl | SystemdControl | CommandControl,
    *,
    state_dir: Path,
    clock: Clock,
    instance: str,
    systemd: SystemdManager | None = None,
) -> ServiceControl:
    """The control for one service. `instance` tells this daemon's services from another daemon's on the machine and
    must stay the same over restarts. Pass one shared `systemd` (and close it last): without one, every unit's control
    opens a D-Bus connection of its own."""
    match settings:
        case ProcessControl():
            return ControlledProcess(name, settings, state_dir=state_dir, clock=clock, instance=instance)
        case SystemdControl():
            return ControlledUnit(name, settings, manager=systemd)
        case CommandControl():
            return ControlledCommand(name, settings, state_dir=state_dir, clock=clock)
    assert_never(settings)
