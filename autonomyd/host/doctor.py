"""Whether this machine has what the daemon and its configuration need: seven examinations, each with what to do. It
changes nothing, and needs no daemon."""

import asyncio
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlsplit

from autonomyd.aio.offload import in_thread
from autonomyd.host.connectivity import why_off_the_network
from autonomyd.host.containers.api import EngineFailure, find_socket
from autonomyd.host.failure import NetworkFailure
from autonomyd.host.mounts import mount_room
from autonomyd.host.paths import default_state_dir
from autonomyd.host.tcp import is_literal, resolve
from autonomyd.model.reading import ReadingState
from autonomyd.settings.control import CommandControl, ProcessControl, SystemdControl
from autonomyd.settings.root import Settings
from autonomyd.settings.service import CheckSettings, ServiceSettings

BASE = ("aiosqlite", "click", "httptools", "psutil", "pydantic", "pydantic_settings", "rich", "starlette", "structlog",
        "uvicorn", "uvloop")  # fmt: skip
FOR_CHECKS = {"postgres": "asyncpg", "mysql": "aiomysql"}
"""What an optional check needs, by its type; the extra has the name of the type."""
LEAST_FREE_BYTES = 200_000_000
MOST_PERCENT = 95.0
RESOLVE_S = 5.0
MAX_NAMES = 20
MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What one examination found, in words, and what to do about it."""

    name: str
    state: ReadingState
    message: str
    advice: str = ""


async def examined(settings: Settings) -> tuple[Examined, ...]:
    """All examinations but that of the configuration, which was read already."""
    services = tuple(settings.services.values())
    return (
        _dependencies(services),
        await in_thread(lambda: _commands(services)),
        await _container_engine(services, settings.containers.socket),
        await in_thread(_network),
        await _names(services),
        await in_thread(lambda: _disk(settings)),
    )


def configuration(problem: str, file: str) -> Examined:
    """What reading the configuration found; `problem` is empty when it can be used."""
    if problem:
        return _failed("configuration", problem, "mend the file, then: autonomyctl config check")
    return _ok("configuration", f"{file} can be used")


def _dependencies(services: tuple[ServiceSettings, ...]) -> Examined:
    wanted = dict.fromkeys(BASE, "the package itself")
    for service in services:
        if isinstance(service.control, SystemdControl):
            wanted["dbus_fast"] = "systemd"
        wanted |= {FOR_CHECKS[check.type]: check.type for check in service.checks if check.type in FOR_CHECKS}
    missing = [module for module in wanted if find_spec(module) is None]
    if missing:
        extras = ",".join(sorted({wanted[each] for each in missing} - {"the package itself"}))
        install = f"pip install 'autonomyd[{extras}]'" if extras else "pip install autonomyd"
        return _failed("python dependencies", f"missing: {', '.join(missing)}", install)
    return _ok("python dependencies", f"all {len(wanted)} are there")


def _commands(services: tuple[ServiceSettings, ...]) -> Examined:
    programs = {program for service in services for program in _programs(service)}
    missing = sorted(each for each in programs if shutil.which(each) is None)
    if missing:
        return _failed("commands", f"not found, or not executable: {', '.join(missing)}", "install them, or mend PATH")
    return _ok(
        "commands", f"all {len(programs)} that the configuration names are there" if programs else "none is named"
    )


def _programs(service: ServiceSettings) -> Iterable[str]:
    control = service.control
    if isinstance(control, ProcessControl):
        # a relative path is meant from the service's own folder
        yield os.path.join(control.cwd or "", control.command[0]) if "/" in control.command[0] else control.command[0]
    if isinstance(control, CommandControl):
        yield from (argv[0] for argv in (control.start, control.stop, control.restart, control.reload) if argv)
    for check in service.checks:
        yield from getattr(check, "argv", ())[:1]
        if getattr(check, "journal", None):
            yield "journalctl"
        if check.type == "unit":
            yield "systemctl"


async def _container_engine(services: tuple[ServiceSettings, ...], configured: str | None) -> Examined:
    name = "container engine"
    used = any(
        service.control.type == "container" or any(check.type == "container" for check in service.checks)
        for service in services
    )
    try:
        path = find_socket(configured)
    except EngineFailure as error:
        return (
            _failed(name, str(error), "start it, or name its socket") if used else _ok(name, "none, and none is used")
        )
    try:
        async with asyncio.timeout(RESOLVE_S):
            _, writer = await asyncio.open_unix_connection(path)
    except (OSError, TimeoutError) as error:
        why = f"{path} can't be reached: {getattr(error, 'strerror', None) or 'no answer'}"
        return _failed(name, why, "start it, or let the daemon's user use it") if used else _ok(name, f"{why}; unused")
    writer.close()
    return _ok(name, f"it listens at {path}")


def _network() -> Examined:
    why = why_off_the_network()
    return (
        _failed("network", why, "checks of other machines stay unknown until it is back")
        if why
        else _ok("network", "there is a way out")
    )


async def _names(services: tuple[ServiceSettings, ...]) -> Examined:
    names = sorted({name for service in services for check in service.checks if (name := _host(check))})[:MAX_NAMES]
    answers = await asyncio.gather(*(_resolved(name) for name in names))
    wrong = [answer for answer in answers if answer]
    if wrong:
        return _failed("dns", "; ".join(wrong), "mend the name in the configuration, or the machine's resolver")
    return _ok("dns", f"all {len(names)} names of the configuration are known" if names else "no name needs it")


async def _resolved(name: str) -> str:
    try:
        async with asyncio.timeout(RESOLVE_S):
            await resolve(name)
    except NetworkFailure as error:
        return error.message
    except TimeoutError:
        return f"no answer about {name} within {RESOLVE_S:g} s"
    return ""


def _host(check: CheckSettings) -> str:
    """The name of another machine that the check asks, or nothing."""
    url = getattr(check, "url", None) or getattr(check, "dsn", None)
    try:
        host = urlsplit(url).hostname if url else getattr(check, "host", None)
    except ValueError:
        return ""
    return host if host and host != "localhost" and not is_literal(host) else ""


def _disk(settings: Settings) -> Examined:
    folder = settings.daemon.state_dir or str(default_state_dir())
    there = str(folder)
    while not os.path.isdir(there) and there != "/":
        there = os.path.dirname(there)
    try:
        room = mount_room(there)
    except OSError as error:
        return Examined(name="disk", state=ReadingState.UNKNOWN, message=f"{there}: {error.strerror}")
    if room is None or room.read_only or not os.access(there, os.W_OK):
        return _failed(
            "disk", f"{there} can't be written to", "let the daemon's user write there, or set daemon.state_dir"
        )
    words = f"{room.free_bytes / MB:,.0f} MB free for {folder} ({room.used_percent:.0f} % in use)"
    full = room.free_bytes < LEAST_FREE_BYTES or room.used_percent > MOST_PERCENT
    no_inodes = room.inodes_percent is not None and room.inodes_percent > MOST_PERCENT
    if full or no_inodes:
        return _failed("disk", words if full else f"{room.inodes_percent:.0f} % of its inodes are in use", "free space")
    return _ok("disk", words)


def _ok(name: str, message: str) -> Examined:
    return Examined(name=name, state=ReadingState.OK, message=message)


def _failed(name: str, message: str, advice: str) -> Examined:
    return Examined(name=name, state=ReadingState.FAILED, message=message, advice=advice)
