"""Services that listen or run as units, proposed as TOML that only observes: a person decides what to trust."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import structlog

from autonomyd.aio.offload import in_thread
from autonomyd.engine.system import AutonomousOperationSystem
from autonomyd.host.dbus import BusError
from autonomyd.host.files import append_text
from autonomyd.host.listeners import Listener, listening_services
from autonomyd.host.systemd import SystemdManager
from autonomyd.settings.control import SystemdControl
from autonomyd.settings.load import SYSTEM_CONFIG

LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read from the kernel, not bound to
SYSTEM_UNITS = ("systemd-", "user@", "getty@", "serial-getty@", "dbus", "polkit", "autonomyd", "user-runtime-dir@")
_INTERPRETER = re.compile(r"(python|ruby|perl|node|php|bash|sh|deno|bun)[\d.]*")
_NAME = re.compile(r"[^A-Za-z0-9_.-]+")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """One service that could be watched, and its table."""

    name: str
    kind: str
    why: str
    toml: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    services: tuple[Proposed, ...]

    @property
    def toml(self) -> str:
        return "\n".join(each.toml for each in self.services)


async def propose(system: AutonomousOperationSystem) -> Proposal:
    """What could be watched and is not configured yet."""
    try:
        found = await in_thread(listening_services)
    except OSError as error:
        log.warning("discovery_failed", reason=str(error))
        found = ()
    running = await running_units()
    keeper = system.parts.keeper
    pids = {service.run.pid for service in keeper.services.values()}
    units = {
        service.settings.control.unit
        for service in keeper.services.values()
        if isinstance(service.settings.control, SystemdControl)
    }
    return proposals(
        [each for each in found if each.pid not in pids and each.unit not in units],
        units=[each for each in running if each not in units],
        taken=keeper.services.keys(),
    )


async def running_units() -> tuple[str, ...]:
    """Services that systemd runs, without those that belong to the system itself; empty where there is no systemd."""
    manager = SystemdManager()
    try:
        await manager.open()
        found = await manager.list_units()
    except (BusError, OSError) as error:
        log.info("units_not_listed", reason=str(error))
        return ()
    finally:
        await manager.close()
    return tuple(each.name for each in found if each.sub == "running" and not each.name.startswith(SYSTEM_UNITS))


def proposals(found: Collection[Listener], *, units: Collection[str] = (), taken: Collection[str]) -> Proposal:
    """One service a unit or process, with a tcp check for each of its ports; `units` run without listening."""
    groups: dict[tuple[str, object], list[Listener]] = {}
    for each in found:
        if each.pid is not None and (each.unit or each.cmdline):
            groups.setdefault(("unit", each.unit) if each.unit else ("pid", each.pid), []).append(each)
    names = set(taken)
    proposed: list[Proposed] = []
    for listeners in groups.values():
        first = listeners[0]
        name = _named(first.unit or program_of(first.name, first.cmdline), names)
        proposed.append(_table(name, listeners))
    silent = sorted(set(units) - {each.unit for each in found})
    proposed.extend(
        _entry(_named(unit, names), "systemd", _unit_control(unit), f"unit {unit} runs", ()) for unit in silent
    )
    return Proposal(services=tuple(proposed))


def write_proposals(found: Proposal, config_file: str | None) -> str:
    """Append the tables to the configuration file; returns its path. Raises OSError."""
    path = Path(config_file) if config_file else SYSTEM_CONFIG
    if found.services:
        append_text(path, "\n" + found.toml)
    return str(path)


def _table(name: str, listeners: list[Listener]) -> Proposed:
    first = listeners[0]
    ports = ", ".join(str(each.port) for each in listeners)
    checks = tuple(
        f'{{ type = "tcp", host = "{LOOPBACK.get(each.address, each.address)}", port = {each.port} }}'
        for each in listeners
    )
    if first.unit:
        return _entry(name, "systemd", _unit_control(first.unit), f"unit {first.unit} listens on port {ports}", checks)
    match = "^" + re.escape(" ".join(first.cmdline))[:400] + "$"
    argv = ", ".join(json.dumps(word) for word in first.cmdline)
    cwd = f", cwd = {json.dumps(first.cwd)}" if first.cwd and first.cwd != "/" else ""
    control = f'{{ type = "command", start = [{argv}], match = {json.dumps(match)}{cwd} }}'
    return _entry(name, "command", control, f"{first.name} (pid {first.pid}) listens on port {ports}", checks)


def _entry(name: str, kind: str, control: str, why: str, checks: tuple[str, ...]) -> Proposed:
    shown = json.dumps(name) if "." in name else name
    lines = [
        f"# {why}",
        f"[services.{shown}]",
        f"control = {control}",
        'autonomy = "observe"  # "act" to have it healed',
    ]
    if checks:
        lines += ["checks = [", *(f"  {check}," for check in checks), "]"]
    return Proposed(name=name, kind=kind, why=why, toml="\n".join(lines) + "\n")


def _unit_control(unit: str) -> str:
    return f'{{ type = "systemd", unit = {json.dumps(unit)} }}'


def program_of(name: str, cmdline: tuple[str, ...]) -> str:
    """What people call a process: for an interpreter the script or module that it runs, else its own name."""
    if not _INTERPRETER.fullmatch(name):
        return name
    words = list(cmdline[1:])
    if "-m" in words[:-1]:
        return words[words.index("-m") + 1]
    script = next((word for word in words if not word.startswith("-")), "")
    return script.rpartition("/")[2].partition(".")[0] or name


def _named(source: str, taken: set[str]) -> str:
    """A free service name made from a unit's or a process's."""
    base = _NAME.sub("-", source.removesuffix(".service")).strip("-._")[:48] or "service"
    number, name = 2, base
    while name in taken:
        name = f"{base}-{number}"
        number += 1
    taken.add(name)
    return name
