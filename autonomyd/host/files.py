"""Looks at single files and folders: age, size, checksum, the last lines, the room a folder takes. It changes nothing,
and never waits on a pipe or a device that only looks like a file."""

import contextlib
import hashlib
import itertools
import os
import stat
from dataclasses import dataclass

from autonomyd.host.mounts import is_local

__all__ = [
    "FileFacts",
    "FolderSize",
    "file_facts",
    "file_sha256",
    "folder_size",
    "is_local",
    "tail_lines",
]

BLOCK_BYTES = 512
ENTRY_LIMIT = 200_000
DEPTH_LIMIT = 64
SHA_LIMIT_BYTES = 64 * 1048576
TAIL_LIMIT_BYTES = 262144


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """A file now. `age_s` since it was last written is negative when that lies in the future (the clock was set back).
    With `unknown` set the file could not be looked at and the numbers mean nothing."""

    path: str
    size: int = 0
    mtime: float = 0.0
    age_s: float = 0.0
    is_file: bool = False
    unknown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSize:
    """What a folder takes: `bytes` in blocks used, hard links once. `incomplete` says why something was not counted."""

    bytes: int
    files: int
    incomplete: str = ""


def file_facts(path: str, *, wall: float) -> FileFacts | None:
    """What there is at `path` (links followed), or None when there is nothing. `wall` is epoch seconds now."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return FileFacts(path=path, unknown=f"can't look at {path}: {reason}")
    return FileFacts(
        path=path,
        size=found.st_size,
        mtime=found.st_mtime,
        age_s=wall - found.st_mtime,
        is_file=stat.S_ISREG(found.st_mode),
    )


def file_sha256(path: str, *, limit_bytes: int = SHA_LIMIT_BYTES) -> str | None:
    """The checksum in hex, or None for a file of more than `limit_bytes`. Raises OSError. For a thread."""
    digest = hashlib.sha256()
    handle = open_regular(path)
    try:
        left = limit_bytes
        while chunk := os.read(handle, 262144):
            left -= len(chunk)
            if left < 0:
                return None
            digest.update(chunk)
    finally:
        os.close(handle)
    return digest.hexdigest()


def tail_lines(path: str, count: int, *, limit_bytes: int = TAIL_LIMIT_BYTES) -> tuple[str, ...]:
    """The last `count` lines, oldest first, out of the last `limit_bytes`; what is not UTF-8 becomes U+FFFD. A line
    that was cut at the front is left out, unless it is all there is. Raises OSError."""
    if count <= 0:
        return ()
    handle = open_regular(path)
    try:
        size = os.fstat(handle).st_size
        start = max(0, size - limit_bytes)
        raw = bytearray()
        while start + len(raw) < size and (
            chunk := os.pread(handle, min(262144, size - start - len(raw)), start + len(raw))
        ):
            raw += chunk
        cut = start > 0 and os.pread(handle, 1, start - 1) != b"\n"
    finally:
        os.close(handle)
    lines = bytes(raw).removesuffix(b"\n").split(b"\n") if raw else []
    if cut and len(lines) > 1:
        del lines[0]
    return tuple(line.removesuffix(b"\r").decode("utf-8", "replace") for line in lines[-count:])


def folder_size(root: str, *, entry_limit: int = ENTRY_LIMIT) -> FolderSize:
    """The room that `root` takes, without following links or entering other filesystems. Bounded; for a thread."""
    try:
        device = os.stat(root).st_dev
    except OSError as error:
        return FolderSize(bytes=0, files=0, incomplete=f"{root}: {error.strerror}")
    total = files = seen = 0
    reasons: dict[str, None] = {}
    linked: set[int] = set()
    waiting = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop()
        if depth > DEPTH_LIMIT:
            reasons[f"deeper than {DEPTH_LIMIT} folders"] = None
            continue
        try:
            entries = _entries(folder, entry_limit - seen)
        except FileNotFoundError:
            continue
        except OSError as error:
            reasons[f"{folder}: {error.strerror}"] = None
            continue
        seen += len(entries)
        for path, found in entries:
            if found.st_dev != device:
                continue
            if stat.S_ISDIR(found.st_mode):
                waiting.append((path, depth + 1))
            elif found.st_ino in linked:
                continue
            else:
                files += 1
                if found.st_nlink > 1:
                    linked.add(found.st_ino)
            total += found.st_blocks * BLOCK_BYTES
        if seen >= entry_limit:
            reasons[f"more than {entry_limit} entries"] = None
            break
    return FolderSize(bytes=total, files=files, incomplete="; ".join(list(reasons)[:3]))


def open_regular(path: str) -> int:
    """A descriptor for reading a regular file; raises OSError for anything else. Waits for no writer of a pipe."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(f"{path} is not a regular file")
    return handle


def _entries(folder: str, limit: int) -> list[tuple[str, os.stat_result]]:
    listed = []
    with os.scandir(folder) as entries:
        for entry in itertools.islice(entries, limit):
            with contextlib.suppress(FileNotFoundError):
                listed.append((entry.path, entry.stat(follow_symlinks=False)))
    return listed


def append_text(path: str | os.PathLike[str], text: str) -> None:
    """Add `text` to the end of a file, which is made when it is not there; on disk when it returns. Raises OSError."""
    os.makedirs(os.path.dirname(os.fspath(path)) or ".", exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
