"""Services that listen or run as units, proposed as TOML with `autonomy = "observe"`: a person decides what to trust."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import structlog

from autonomyd.aio.offload import in_thread
from autonomyd.engine.system import AutonomousOperationSystem
from autonomyd.host.files import append_text
from autonomyd.host.listeners import Listener, listening_services
from autonomyd.settings.control import SystemdControl
from autonomyd.settings.load import SYSTEM_CONFIG

LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read from the kernel, not bound to
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
    keeper = system.parts.keeper
    pids = {service.run.pid for service in keeper.services.values()}
    units = {
        service.settings.control.unit
        for service in keeper.services.values()
        if isinstance(service.settings.control, SystemdControl)
    }
    return proposals(
        [each for each in found if each.pid not in pids and each.unit not in units], taken=keeper.services.keys()
    )


def proposals(found: Collection[Listener], *, taken: Collection[str]) -> Proposal:
    """One service a unit or process, with a tcp check for each of its ports."""
    groups: dict[tuple[str, object], list[Listener]] = {}
    for each in found:
        if each.pid is not None and (each.unit or each.cmdline):
            groups.setdefault(("unit", each.unit) if each.unit else ("pid", each.pid), []).append(each)
    names = set(taken)
    proposed: list[Proposed] = []
    for listeners in groups.values():
        first = listeners[0]
        base = (first.unit or first.name or "service").removesuffix(".service")
        name = _free(_NAME.sub("-", base).strip("-.")[:48] or "service", names)
        names.add(name)
        proposed.append(_table(name, listeners))
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
    if first.unit:
        kind, control = "systemd", f'{{ type = "systemd", unit = {json.dumps(first.unit)} }}'
        why = f"unit {first.unit} listens on port {ports}"
    else:
        match = "^" + re.escape(" ".join(first.cmdline))[:400] + "$"
        argv = ", ".join(json.dumps(word) for word in first.cmdline)
        kind = "command"
        control = f'{{ type = "command", start = [{argv}], match = {json.dumps(match)} }}'
        why = f"{first.name} (pid {first.pid}) listens on port {ports}"
    checks = "\n".join(
        f'  {{ type = "tcp", host = "{LOOPBACK.get(each.address, each.address)}", port = {each.port} }},'
        for each in listeners
    )
    toml = (
        f'[services.{json.dumps(name) if "." in name else name}]  # {why}\ncontrol = {control}\n'
        f'autonomy = "observe"  # change to "act" to have it healed\nchecks = [\n{checks}\n]\n'
    )
    return Proposed(name=name, kind=kind, why=why, toml=toml)


def _free(name: str, taken: Collection[str]) -> str:
    number, candidate = 2, name
    while candidate in taken:
        candidate = f"{name}-{number}"
        number += 1
    return candidate
