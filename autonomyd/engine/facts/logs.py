"""`Situation.logs`: the logs of a service that may be rotated and whose growth fills a disk."""

import os
import stat
from collections.abc import Callable

from autonomyd.aio.offload import in_thread
from autonomyd.engine.managed import ManagedService
from autonomyd.engine.services import ServiceKeeper
from autonomyd.host.machine import disk_bytes
from autonomyd.model.facts import LogFile
from autonomyd.model.issue import Issue
from autonomyd.model.reading import ReadingState
from autonomyd.settings.service import ServiceSettings

BLOCK_BYTES = 512
"""What is counted is the room on the disk: a log that was emptied under its writer has a hole in front."""
GROWTH_SHARE = 0.05
"""Logs that take less than this part of what the disk holds are not what fills it."""
LOG_MB = "log.largest_mb"
LOG_DISK = "log.on_full_disk_mb"
"""What is measured of the logs of a service: the largest one, and all that lie on a disk that fills. An issue about
them has the metric's name."""
MB = 1_000_000


class LogsReader:
    """Only for a service with `rotate`: the logs on the mount whose check fails, or on one of the `full_disks`, or
    those that have outgrown their bound, as the issue says."""

    field = "logs"

    def __init__(self, full_disks: Callable[[], tuple[str, ...]]) -> None:
        self._full_disks = full_disks

    def wants(self, issue: Issue, service: ManagedService | None) -> bool:
        if service is None or service.settings.rotate is None:
            return False
        return issue.metric in (LOG_MB, LOG_DISK) or bool(_full_mounts(service))

    async def read(self, issue: Issue, service: ManagedService | None) -> tuple[LogFile, ...]:
        assert service is not None
        settings = service.settings
        if issue.metric == LOG_MB:
            return await in_thread(lambda: outgrown(settings))
        mounts = self._full_disks() if issue.metric == LOG_DISK else _full_mounts(service)
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


def outgrown(settings: ServiceSettings) -> tuple[LogFile, ...]:
    """The declared logs that are larger than their bound, the largest first. For a thread."""
    rotate = settings.rotate
    if rotate is None or rotate.max_mb is None:
        return ()
    logs = (_log(path, None, settings) for path in settings.logs)
    found = [log for log in logs if log is not None and log.bytes > rotate.max_mb * MB]
    return tuple(sorted(found, key=lambda log: -log.bytes))


def largest(settings: ServiceSettings) -> int:
    """Bytes on the disk of the largest declared log. For a thread. Raises OSError for one that can't be looked at."""
    sizes = [0]
    for path in settings.logs:
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            continue
        if stat.S_ISREG(found.st_mode):
            sizes.append(found.st_blocks * BLOCK_BYTES)
    return max(sizes)


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


def _log(path: str, device: int | None, settings: ServiceSettings) -> LogFile | None:
    """The log at `path`, when it is a regular file (on `device`)."""
    rotate = settings.rotate
    try:
        found = os.lstat(path)
    except OSError:
        return None
    if rotate is None or not stat.S_ISREG(found.st_mode) or device not in (None, found.st_dev):
        return None
    return LogFile(
        path=path,
        bytes=found.st_blocks * BLOCK_BYTES,
        method=rotate.method,
        keep=rotate.keep,
        compress=rotate.compress,
        signal=rotate.signal,
    )
