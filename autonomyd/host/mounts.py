"""What is mounted where, and which of it is local: a network mount may hang whoever touches it."""

import os
import select
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from io import FileIO

MOUNTINFO = "/proc/self/mountinfo"
# fmt: off
REMOTE_TYPES = frozenset(
    {
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "afpfs", "webdav", "ceph", "coda", "glusterfs", "lustre",
        "gpfs", "beegfs", "ncpfs", "ocfs2", "gfs2", "orangefs", "pvfs2", "virtiofs", "autofs", "vboxsf", "vmhgfs",
        "fuse"
    }
)
# fmt: on
"""Types behind which another machine (or a program that may hang) answers; so does every `fuse.*`, not `fuseblk`."""
IMAGE_TYPES = frozenset({"squashfs", "iso9660", "udf", "erofs", "cramfs", "romfs"})
DISKLESS_LOCAL_TYPES = frozenset({"zfs", "btrfs", "bcachefs", "ubifs", "jffs2"})
"""Real filesystems whose source is not a path below /dev."""
SHOWN_MEMORY_POINTS = frozenset({"/tmp"})  # noqa: S108  (not used as a place for files)
"""Memory filesystems are left out, save where programs fill them as if they were disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One mount. `device` is "major:minor", `root` the folder of the filesystem that is shown at `point`."""

    point: str
    device: str
    root: str
    fs_type: str
    source: str
    read_only: bool = False

    @property
    def is_remote(self) -> bool:
        """Whether it may hang. Not said of `/`: when that hangs, so does everything."""
        if self.point == "/":
            return False
        return self.fs_type in REMOTE_TYPES or self.fs_type.startswith("fuse.")

    @property
    def is_disk(self) -> bool:
        """Whether it is a local filesystem that can fill up: no image, no pseudo filesystem."""
        if self.is_remote or self.fs_type in IMAGE_TYPES:
            return False
        if self.point == "/":
            return True
        if self.fs_type == "tmpfs":
            return self.point in SHOWN_MEMORY_POINTS
        return self.source.startswith("/dev/") or self.fs_type in DISKLESS_LOCAL_TYPES


def read_mounts() -> tuple[Mount, ...]:
    """The mounts that can be seen, in the order they were made; raises OSError."""
    if sys.platform != "linux":
        return _psutil_mounts()
    with open(MOUNTINFO, "rb") as file:
        return parse_mountinfo(file.read())


def parse_mountinfo(raw: bytes) -> tuple[Mount, ...]:
    """The mounts of a /proc/PID/mountinfo text. One that another covers at the same point is left out."""
    found: dict[str, Mount] = {}
    for line in raw.splitlines():
        fields, _, tail = line.partition(b" - ")
        left, right = fields.split(b" "), tail.split(b" ")
        if len(left) < 6 or len(right) < 2:
            continue
        point = _unescape(left[4])
        found.pop(point, None)
        found[point] = Mount(
            point=point,
            device=left[2].decode(),
            root=_unescape(left[3]),
            fs_type=right[0].decode(),
            source=_unescape(right[1]),
            read_only=b"ro" in left[5].split(b","),
        )
    return tuple(found.values())


def disks(mounts: Iterable[Mount]) -> tuple[Mount, ...]:
    """One mount for each real local filesystem, by mount point. Of several (bind mounts, subvolumes) the one that shows
    the whole filesystem at the shortest path stands for all; files that are bind mounts do not count."""
    best: dict[str, Mount] = {}
    for mount in mounts:
        if not mount.is_disk or not os.path.isdir(mount.point):
            continue
        # Subvolumes have device numbers of their own and share the disk; datasets of zfs have a source of their own.
        key = mount.source if mount.source.startswith("/dev/") else mount.device
        last = best.get(key)
        if last is None or _rank(mount) < _rank(last):
            best[key] = mount
    return tuple(sorted(best.values(), key=lambda mount: mount.point))


def remotes(mounts: Iterable[Mount]) -> tuple[Mount, ...]:
    """The network mounts with numbers of their own, by mount point; automount points are not touched."""
    found = (mount for mount in mounts if mount.is_remote and mount.fs_type != "autofs")
    return tuple(sorted(found, key=lambda mount: mount.point))


def mount_of(path: str, mounts: Iterable[Mount]) -> Mount | None:
    """The mount under which the absolute, link-free `path` lies. Touches nothing."""
    best: Mount | None = None
    for mount in mounts:
        point = mount.point.rstrip("/")
        if (path == point or path.startswith(point + "/")) and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    return best


def mount_point_of(path: str) -> str | None:
    """Where the filesystem of `path` (links followed) is mounted; raises OSError when the mounts can't be read."""
    mount = mount_of(os.path.realpath(path), read_mounts())
    return None if mount is None else mount.point


def is_local(path: str, mounts: Iterable[Mount] | None = None) -> bool:
    """Whether `path` can be touched without waiting for another machine, links on the way included. It does not have to
    exist. Never touches a network mount to find out; raises OSError when the mounts can't be read."""
    known = tuple(read_mounts() if mounts is None else mounts)
    # Not abspath: it takes "link/.." for nothing, but it is the folder above the one that the link leads to.
    waiting = _parts(path if path.startswith("/") else f"{os.getcwd()}/{path}")
    here, links = "", 0
    while True:
        mount = mount_of(here or "/", known)
        if mount is not None and mount.is_remote:
            return False
        if not waiting:
            return True
        part = waiting.pop()
        if part == "..":
            here = here.rpartition("/")[0]
            continue
        here, target = _step(here, part, known)
        if target is not None:
            links += 1
            if links > 40:
                return True  # a loop of links: opening it fails at once
            if target.startswith("/"):
                here = ""
            waiting.extend(_parts(target))


def surely_local(path: str) -> bool:
    """Whether `path` certainly waits for no other machine; no, where the mounts can't be read."""
    try:
        return is_local(path)
    except OSError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class MountRoom:
    """The room of a filesystem, as `df` counts. `inodes_percent` is None where it has no fixed number of them;
    `is_point`: the path itself is where it is mounted."""

    used_percent: float
    free_bytes: int
    inodes_percent: float | None
    read_only: bool
    is_point: bool


def mount_room(path: str) -> MountRoom | None:
    """The room of the filesystem on which `path` lies; None when there is no such path. Raises OSError. May hang on a
    network mount."""
    try:
        fs = os.statvfs(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    used = fs.f_blocks - fs.f_bfree
    fillable = used + fs.f_bavail
    inodes_used = fs.f_files - fs.f_ffree
    inodes = inodes_used + fs.f_favail
    return MountRoom(
        used_percent=100.0 * used / fillable if fillable else 0.0,
        free_bytes=fs.f_bavail * fs.f_frsize,
        inodes_percent=100.0 * inodes_used / inodes if fs.f_files and inodes else None,
        read_only=bool(fs.f_flag & os.ST_RDONLY),
        is_point=os.path.ismount(path),
    )


class MountTable:
    """The mounts, read again only when the kernel says that they changed."""

    __slots__ = ("_file", "_mounts", "_poll")

    def __init__(self) -> None:
        self._file: FileIO | None = None
        self._mounts: tuple[Mount, ...] | None = None
        self._poll: select.poll | None = None

    def read(self) -> tuple[tuple[Mount, ...], bool]:
        """The mounts, and whether they may differ from the last answer; raises OSError."""
        if self._poll is None and sys.platform == "linux":
            self._file = FileIO(MOUNTINFO)
            self._poll = select.poll()
            self._poll.register(self._file, select.POLLPRI)
        elif self._mounts is not None and self._poll is not None and not self._poll.poll(0):
            return self._mounts, False
        mounts = read_mounts()
        changed = mounts != self._mounts
        self._mounts = mounts
        return mounts, changed

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = self._poll = None


def _parts(path: str) -> list[str]:
    """The names on the way, the last one first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _step(here: str, part: str, mounts: tuple[Mount, ...]) -> tuple[str, str | None]:
    """One name further: the new path, or the folder that holds a link and the link's target."""
    there = f"{here}/{part}"
    if any(mount.point == there for mount in mounts):
        return there, None  # a mount point is a folder, and asking a hung one would hang
    try:
        return here, os.readlink(there)
    except OSError:
        return there, None


def _rank(mount: Mount) -> tuple[bool, int, str]:
    return (mount.point != "/" and mount.root != "/", len(mount.point), mount.point)


def _unescape(raw: bytes) -> str:
    if b"\\" in raw:
        for code, plain in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
            raw = raw.replace(code, plain)
    return raw.decode("utf-8", "surrogateescape")


def _psutil_mounts() -> tuple[Mount, ...]:
    import psutil  # Linux does without

    return tuple(
        Mount(
            point=part.mountpoint,
            device=part.device,
            root="/",
            fs_type=part.fstype,
            source=part.device,
            read_only="ro" in part.opts.split(","),
        )
        for part in psutil.disk_partitions(all=True)
    )
