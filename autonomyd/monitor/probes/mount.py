"""`type = "mount"`: space, inodes, and whether it can be written to."""

from typing import ClassVar

from pydantic import Field

from autonomyd.aio.clock import Clock
from autonomyd.aio.offload import in_thread
from autonomyd.host.mounts import MountRoom, mount_room, surely_local
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Look, QuickProbe, failed, ok
from autonomyd.settings.base import Percent
from autonomyd.settings.service import CheckSettings

MB = 1_000_000


class MountOptions(CheckSettings):
    """The filesystem on which a folder lies; too full, read-only, or not there is a failure."""

    path: str = Field(pattern=r"^/")
    """Absolute path of a folder on it."""
    used_percent: Percent = 90.0
    """Most space in use, %, as `df` counts."""
    inodes_percent: Percent = 90.0
    """Most inodes in use, %."""
    read_only: bool = False
    """Whether it may be read-only."""
    mounted: bool = False
    """Whether something must be mounted at `path` itself, and not only somewhere above it."""


class MountProbe:
    kind: ClassVar[str] = "mount"
    Options: ClassVar[type[CheckSettings]] = MountOptions
    asks: ClassVar[bool] = False
    cheap: ClassVar[bool] = True
    about_service: ClassVar[bool] = False
    metrics: ClassVar[tuple[MetricSpec, ...]] = (
        MetricSpec(name="mount_used_percent", unit="%"),
        MetricSpec(name="mount_free_mb", unit="MB"),
        MetricSpec(name="mount_inodes_percent", unit="%"),
    )

    def __init__(self, options: MountOptions, clock: Clock) -> None:
        self._options = options
        self._local = surely_local(options.path)

    def quick(self) -> QuickProbe | None:
        # asking a local filesystem for its room can't hang; a network one can, and costs a thread
        return self if self._local else None

    def look_now(self) -> Look:
        return self._judged(mount_room(self._options.path))

    async def look(self) -> Look:
        return self._judged(await in_thread(lambda: mount_room(self._options.path)))

    def _judged(self, room: MountRoom | None) -> Look:
        options = self._options
        if room is None:
            return failed(f"{options.path} does not exist")
        values = {"mount_used_percent": room.used_percent, "mount_free_mb": room.free_bytes / MB}
        if room.inodes_percent is not None:
            values["mount_inodes_percent"] = room.inodes_percent
        if options.mounted and not room.is_point:
            return failed(f"nothing is mounted at {options.path}", values)
        if room.read_only and not options.read_only:
            return failed(f"the filesystem of {options.path} is read-only: look at the kernel's log for why", values)
        words = f"{room.used_percent:.1f} % in use, {room.free_bytes / MB:.1f} MB free"
        if room.used_percent > options.used_percent:
            return failed(f"{words}, at most {options.used_percent:g} % are allowed", values)
        if room.inodes_percent is not None and room.inodes_percent > options.inodes_percent:
            allowed = f"at most {options.inodes_percent:g} % are allowed"
            return failed(f"{room.inodes_percent:.1f} % of the inodes are in use, {allowed}", values)
        return ok(values, words)
