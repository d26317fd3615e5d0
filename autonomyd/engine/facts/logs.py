"""`Situation.logs`: the logs of a service that may be rotated and whose growth fills a disk."""

import os
import stat

from autonomyd.aio.offload import in_thread
from autonomyd.engine.managed import ManagedService
from autonomyd.engine.services import ServiceKeeper
from autonomyd.host.machine import disk_bytes
from autonomyd.model.facts import LogFile
from autonomyd.model.issue import Issue
from autonomyd.model.reading import ReadingState
from autonomyd.settings.service import ServiceSettings

GROWTH_SHARE = 0.05
"""Logs that take less than this part of what the disk holds are not what fills it."""


class LogsReader:
    """Only for a service with `rotate`, while one of its mount checks fails; the files are those on that mount."""

    field = "logs"

    def wants(self, issue: Issue, service: ManagedService | None) -> bool:
        return service is not None and service.settings.rotate is not None and bool(_full_mounts(service))

    async def read(self, issue: Issue, service: ManagedService | None) -> tuple[LogFile, ...]:
        assert service is not None
        settings, mounts = service.settings, _full_mounts(service)
        return await in_thread(lambda: rotatable(settings, mounts))


def rotatable(settings: ServiceSettings, mounts: tuple[str, ...]) -> tuple[LogFile, ...]:
    """The declared logs that lie on the disks of `mounts`, where together they take a part of the disk that matters.
    For a thread. Raises OSError when a disk can't be asked."""
    rotate = settings.rotate
    found: list[LogFile] = []
    for mount in mounts if rotate is not None else ():
        device = os.stat(mount).st_dev
        logs = [log for path in settings.logs if (log := _log(path, device, settings)) is not None]
        if sum(log.bytes for log in logs) >= GROWTH_SHARE * disk_bytes(mount)[0]:
            found += [log for log in logs if log not in found]
    return tuple(sorted(found, key=lambda log: -log.bytes))


def rotatable_logs(keeper: ServiceKeeper, name: str) -> tuple[str, ...]:
    """The logs of the service `name` that a person allows to be rotated."""
    service = keeper.services.get(name)
    return service.settings.logs if service is not None and service.settings.rotate is not None else ()


def main_pid(keeper: ServiceKeeper, name: str) -> int | None:
    """The main process of the service `name` now."""
    service = keeper.services.get(name)
    return service.run.pid if service is not None and service.has_process else None


def _full_mounts(service: ManagedService) -> tuple[str, ...]:
    return tuple(
        getattr(check.settings, "path", "")
        for check in service.checks.values()
        if check.settings.type == "mount" and check.last is not None and check.last.state is ReadingState.FAILED
    )


def _log(path: str, device: int, settings: ServiceSettings) -> LogFile | None:
    rotate = settings.rotate
    try:
        found = os.lstat(path)
    except OSError:
        return None
    if rotate is None or not stat.S_ISREG(found.st_mode) or found.st_dev != device:
        return None
    return LogFile(
        path=path,
        bytes=found.st_blocks * 512,
        method=rotate.method,
        keep=rotate.keep,
        compress=rotate.compress,
        signal=rotate.signal,
    )
