"""Finds and removes rotated logs, or the old files of a cache, below an allowed folder. What is removed is gone, so
everything that is not surely one of them and closed is left alone, and every file is checked again at the moment of its
removal."""

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from autonomyd.host.failure import RemovalRefused
from autonomyd.host.opened import OpenFiles, is_open_elsewhere, open_files

ENTRY_LIMIT = 100_000
DEPTH_LIMIT = 8
BLOCK_BYTES = 512
SKIPPED_FOLDERS = frozenset({"journal"})
"""The journal has its own upkeep and keeps its files open by index."""

_PACKED = r"(?:\.(?:gz|bz2|xz|zst|lz4|Z))"
_NUMBERED = re.compile(rf"(?P<stem>.+)\.\d{{1,3}}{_PACKED}?")
_DATED = re.compile(
    rf"(?P<stem>.+?)[-_.](?:19|20)\d\d-?[01]\d-?[0-3]\d(?:[-_.T]?\d{{1,10}}){{0,2}}(?P<end>\.log)?(?P<packed>{_PACKED})?"
)
_OLD = re.compile(rf"(?P<stem>.+)\.old{_PACKED}?")
_PACKED_LOG = re.compile(rf"(?P<stem>.+\.log){_PACKED}")
_IS_LOG = re.compile(r"(?:.*[._-])?logs?(?:[._-].*)?", re.IGNORECASE)
_NEVER = re.compile(
    r"backup|dump|\.(?:bak|so|sql|db|sqlite3?|tar|zip|rdb|aof|wal|journal|key|pem|crt|conf|cfg|ini|ya?ml|toml|json)\b",
    re.IGNORECASE,
)


Fits = Callable[[str, frozenset[str], os.stat_result], bool]
"""(name, names in its folder, what it is now) to whether it is a file that may go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RotatedFile:
    """A file as it was found. `size` and `bytes` (blocks used, which is what removing frees) in bytes, `mtime` epoch
    seconds with `mtime_ns` for the comparison."""

    path: str
    size: int
    bytes: int
    mtime: float
    mtime_ns: int
    device: int
    inode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RotatedLogs:
    """The removable files below `root`, oldest first. `incomplete` says why it is not certain that they are closed:
    then none may be removed. `truncated`: the folder is too large to be seen whole; what is listed is still good."""

    root: str
    files: tuple[RotatedFile, ...]
    incomplete: str = ""
    truncated: bool = False

    @property
    def total_bytes(self) -> int:
        return sum(each.bytes for each in self.files)


def looks_rotated(name: str, siblings: frozenset[str] = frozenset()) -> bool:
    """Whether a file name is that of a rotated log: app.log.1, app.log.2.gz, app-20240101.log.gz, messages.1 beside
    messages. `siblings` are the names in its folder. Backups, dumps, databases and configuration never are, whatever
    their number."""
    if _NEVER.search(name):
        return False
    if _PACKED_LOG.fullmatch(name):
        return True
    for pattern in (_NUMBERED, _OLD):
        match = pattern.fullmatch(name)
        # A number alone proves nothing (a manual page, a data segment): a log by name, or the live file stands beside.
        if match and (_IS_LOG.fullmatch(match["stem"]) or match["stem"] in siblings):
            return True
    dated = _DATED.fullmatch(name)
    return dated is not None and _is_past(name, dated, siblings)


def is_rotated(name: str, siblings: frozenset[str], found: os.stat_result) -> bool:
    """`Fits` for rotated logs."""
    return looks_rotated(name, siblings)


def untouched_since(before: float) -> Fits:
    """`Fits` for the files of a cache that nobody has written or read since `before` (epoch seconds). Where the disk
    notes no reading (noatime), the last change alone counts."""

    def fits(name: str, siblings: frozenset[str], found: os.stat_result) -> bool:
        return max(found.st_mtime, found.st_atime, found.st_ctime) < before

    return fits


def log_stem(path: str) -> str:
    """The log that a rotated file belongs to: /var/log/app.log for /var/log/app.log.3.gz."""
    folder, _, name = path.rpartition("/")
    for pattern in (_NUMBERED, _OLD, _DATED, _PACKED_LOG):
        match = pattern.fullmatch(name)
        if match:
            return f"{folder}/{match['stem']}"
    return path


def _is_past(name: str, dated: re.Match[str], siblings: frozenset[str]) -> bool:
    """A date in the name may be today's: some programs write into a dated file and close it after each line. It is past
    when it is packed, when the live file stands beside, or when there is a later one of the series."""
    stem = dated["stem"]
    if stem in siblings or f"{stem}.log" in siblings:
        return True
    if not dated["end"] and not _IS_LOG.fullmatch(stem):
        return False
    if dated["packed"]:
        return True
    others = (_DATED.fullmatch(other) for other in siblings if other > name and other.startswith(stem))
    return any(other is not None and other["stem"] == stem for other in others)


def rotated_logs(
    root: str, *, protect: Iterable[str] = (), opened: OpenFiles | None = None, fits: Fits = is_rotated
) -> RotatedLogs:
    """The rotated logs (or what else `fits`) below `root`, without those in `protect` (files or folders) and without
    any that is open. `opened` is an earlier `open_files([root])`, else one is made. Follows no link, enters no other
    filesystem; bounded. For a thread. Raises OSError when `root` can't be read."""
    real_root = os.path.realpath(root)
    guarded = tuple(os.path.realpath(path) for path in protect)
    walk = _Walk(real_root, guarded, fits)
    candidates = list(walk.files())
    if not candidates:
        return RotatedLogs(root=real_root, files=(), truncated=walk.truncated)
    opened = open_files([real_root]) if opened is None else opened
    kept, unsure = [], ""
    for each in candidates:
        if (each.device, each.inode) in opened.files:
            continue
        if opened.incomplete:
            answer = _is_open(each.path)
            if answer is None:
                unsure = opened.incomplete
            elif answer:
                continue
        kept.append(each)
    kept.sort(key=lambda each: (each.mtime_ns, each.path))
    return RotatedLogs(root=real_root, files=tuple(kept), incomplete=unsure, truncated=walk.truncated)


def remove_checked(file: RotatedFile, *, root: str, fits: Fits = is_rotated) -> int:
    """Remove `file` if it still is what was found, below `root`, what `fits`, and open nowhere; gives the bytes
    freed. Raises RemovalRefused, with nothing changed, for any doubt. Walks down by descriptors that follow no link, so
    that a folder swapped for a link in between can't lead out of `root`."""
    real_root = os.path.realpath(root)
    relative = os.path.relpath(file.path, real_root)
    parts = relative.split(os.sep)
    if ".." in parts or parts in ([], ["."]) or os.path.isabs(relative):
        raise RemovalRefused(f"{file.path} is not below {real_root}")
    name = parts[-1]
    try:
        folder = _open_folder(real_root, parts[:-1], file.device)
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            # The neighbours are only asked where the name alone does not tell: a folder of many is not listed for each.
            if not fits(name, frozenset(), found) and not fits(name, frozenset(os.listdir(folder)), found):
                raise RemovalRefused(f"{file.path} does not look like a file that may go")
            return _unlink_same(file, name, folder, real_root)
        finally:
            os.close(folder)
    except FileNotFoundError:
        raise RemovalRefused(f"{file.path} is gone already") from None
    except OSError as error:
        raise RemovalRefused(f"{file.path}: {error.strerror}") from None


def _unlink_same(file: RotatedFile, name: str, folder: int, root: str) -> int:
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        now = os.fstat(handle)
        if not stat.S_ISREG(now.st_mode):
            raise RemovalRefused(f"{file.path} is not a regular file")
        if (now.st_dev, now.st_ino) != (file.device, file.inode):
            raise RemovalRefused(f"{file.path} is another file than was found")
        if (now.st_size, now.st_mtime_ns) != (file.size, file.mtime_ns):
            raise RemovalRefused(f"{file.path} was written since it was found")
        _refuse_open(file, handle, root)
        last = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if (last.st_dev, last.st_ino) != (file.device, file.inode):
            raise RemovalRefused(f"{file.path} is another file than was found")
        os.unlink(name, dir_fd=folder)
    finally:
        os.close(handle)
    return now.st_blocks * BLOCK_BYTES if now.st_nlink == 1 else 0


def _refuse_open(file: RotatedFile, handle: int, root: str) -> None:
    opened = is_open_elsewhere(handle, hold=True)
    if opened is None:
        scan = open_files([root], but_not_own=True)
        if scan.incomplete:
            raise RemovalRefused(f"{file.path}: {scan.incomplete}")
        opened = (file.device, file.inode) in scan.files
    if opened:
        raise RemovalRefused(f"{file.path} is open")


def _open_folder(root: str, parts: list[str], device: int) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    here = os.open(root, flags)
    try:
        for part in parts:
            below = os.open(part, flags, dir_fd=here)
            os.close(here)
            here = below
            if os.fstat(here).st_dev != device:
                raise RemovalRefused(f"{root}/{part} is on another filesystem")
    except BaseException:
        os.close(here)
        raise
    return here


def _is_open(path: str) -> bool | None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return is_open_elsewhere(handle)
    finally:
        os.close(handle)


class _Walk:
    """The candidates below a folder, by one bounded walk."""

    def __init__(self, root: str, guarded: tuple[str, ...], fits: Fits) -> None:
        self._fits = fits
        self.truncated = False
        self._root = root
        self._guarded = guarded
        self._seen = 0

    def files(self) -> Iterator[RotatedFile]:
        device = os.stat(self._root).st_dev
        waiting = [(self._root, 0)]
        while waiting:
            folder, depth = waiting.pop()
            try:
                with os.scandir(folder) as entries:
                    listed = list(self._bounded(entries))
            except OSError:
                if depth == 0:
                    raise
                continue
            names = frozenset(entry.name for entry in listed)
            for entry in listed:
                if self._is_guarded(entry.path):
                    continue
                try:
                    found = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                if found.st_dev != device:
                    continue
                if stat.S_ISDIR(found.st_mode):
                    if entry.name in SKIPPED_FOLDERS or _NEVER.search(entry.name):
                        continue
                    if depth < DEPTH_LIMIT:
                        waiting.append((entry.path, depth + 1))
                    else:
                        self.truncated = True
                elif stat.S_ISREG(found.st_mode) and self._fits(entry.name, names, found):
                    yield _rotated(entry.path, found)

    def _bounded(self, entries: "Iterator[os.DirEntry[str]]") -> "Iterator[os.DirEntry[str]]":
        for entry in entries:
            self._seen += 1
            if self._seen > ENTRY_LIMIT:
                self.truncated = True
                return
            yield entry

    def _is_guarded(self, path: str) -> bool:
        return any(path == each or path.startswith(each.rstrip("/") + "/") for each in self._guarded)


def _rotated(path: str, found: os.stat_result) -> RotatedFile:
    return RotatedFile(
        path=path,
        size=found.st_size,
        bytes=found.st_blocks * BLOCK_BYTES,
        mtime=found.st_mtime,
        mtime_ns=found.st_mtime_ns,
        device=found.st_dev,
        inode=found.st_ino,
    )
