"""Rotates one log that a person declared: numbers the old ones, compresses them, keeps N; on a disk without room for a
copy the newest lines stay and the rest goes. It writes to the log and its own rotations (LOG.1, LOG.2.gz) and to
nothing else, and follows no link. A crash at any point leaves a log that can be read. For a thread.

Everything happens below one descriptor of the folder: a service that may write there can't swap the folder for a link
to somewhere else in between."""

import contextlib
import errno
import gzip
import io
import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from autonomyd.host.opened import is_open_elsewhere

CHUNK_BYTES = 262_144
SPARE_BYTES = 65_536
"""Room that stays free beside a copy, for the folder and whoever else writes."""
LINE_LIMIT_BYTES = 65_536
"""How far the beginning of a whole line is looked for when a log is cut."""
GZIP_LEVEL = 6
REOPEN_S = 3.0
"""For a service to open its log anew after the signal."""
REOPEN_LOOK_S = 0.02
CUT_SHARE = 4
"""A log that is smaller than what may stay of it keeps this part (a quarter): something has to go."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_LOG = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class RotationFailure(Exception):  # noqa: N818 - an answer, no error of the program
    """A log that could not be rotated; the message says why. What it held is still there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """What a rotation did, in bytes: `size` of the log before, `dropped` is gone for good (oldest rotations, and what
    was cut), `freed` is the room on the disk. `cut`: there was no room for a copy. `note` is what a person should
    know."""

    size: int
    dropped: int
    freed: int
    cut: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OldLog:
    """A rotation of a log; `number` 1 is the newest."""

    name: str
    number: int
    packed: bool
    bytes: int


def rotate_by_copy(path: str, *, keep: int, compress: bool, tail_bytes: int) -> Rotated:
    """Copy the log to .1 (.1.gz), then empty it; whoever has it open writes on into the same file. What is written in
    the moment between the end of the copy and the emptying is lost. Without room for the copy the oldest rotations go
    first, then the log is cut to its newest `tail_bytes`. Raises RotationFailure."""
    with _opened(path) as log:
        dropped = log.drop_beyond(max(0, keep - 1))
        while keep and not log.has_room and (old := log.old()):
            dropped += log.drop(old[-1])
        copied = keep > 0 and log.has_room and log.copy(compress=compress)
        if copied:
            os.ftruncate(log.handle, 0)
        else:
            dropped += log.cut(tail_bytes)
        return Rotated(size=log.size, dropped=dropped, freed=log.freed, cut=not copied)


def rotate_by_rename(path: str, *, keep: int, compress: bool, tail_bytes: int, reopen: Callable[[], bool]) -> Rotated:
    """Rename the log to .1 and let `reopen` make the service open a new one; it answers whether that was done. If not,
    the log gets its name back. .1 is compressed once nobody has it open, else at a later rotation; without room for
    that it is cut. Raises RotationFailure."""
    with _opened(path) as log:
        dropped = log.drop_beyond(max(0, keep - 1))
        log.pack_old(compress)
        log.move_up()
        log.rename("", ".1")
        if not reopen():
            if not log.exists():
                log.rename(".1", "")
            raise RotationFailure(f"{path} is not rotated: the service did not open a new one; it has its name back")
        first = next(each for each in log.old() if each.number == 1)
        if is_open_elsewhere(log.handle) is not False:
            return Rotated(
                size=log.size, dropped=dropped, freed=log.freed, cut=False, note=f"{first.name} may still be open"
            )
        cut = False
        if not keep:
            dropped += log.drop(first)
        elif compress and log.has_room:
            log.pack(first)
        elif not log.has_room:
            dropped += log.cut(tail_bytes)
            cut = True
        return Rotated(size=log.size, dropped=dropped, freed=log.freed, cut=cut)


def appears(path: str, *, within_s: float = REOPEN_S) -> bool:
    """Whether there is something at `path` within the time. For a thread."""
    for _ in range(max(1, round(within_s / REOPEN_LOOK_S))):
        if os.path.lexists(path):
            return True
        time.sleep(REOPEN_LOOK_S)
    return os.path.lexists(path)


@contextlib.contextmanager
def _opened(path: str) -> "Iterator[_Log]":
    """Only a regular file with one name that is no link."""
    with contextlib.ExitStack() as stack:
        try:
            folder = os.open(os.path.dirname(path), _FOLDER)
            stack.callback(os.close, folder)
            handle = os.open(os.path.basename(path), _LOG, dir_fd=folder)
            stack.callback(os.close, handle)
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
                raise RotationFailure(f"{path} is not rotated: it is not a regular file with one name")
            yield _Log(folder, os.path.basename(path), handle)
        except OSError as error:
            why = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
            raise RotationFailure(f"{path} is not rotated: {why}") from error


class _Log:
    """The open log, its folder and its rotations."""

    def __init__(self, folder: int, name: str, handle: int) -> None:
        self.folder = folder
        self.name = name
        self.handle = handle
        self.size = os.fstat(handle).st_size
        self._room = self._free()

    @property
    def has_room(self) -> bool:
        """Whether a copy fits even if it does not get smaller."""
        return self._free() >= os.fstat(self.handle).st_size + SPARE_BYTES

    @property
    def freed(self) -> int:
        return self._free() - self._room

    def old(self) -> tuple[OldLog, ...]:
        """The rotations of the log, newest first: regular files NAME.1, NAME.2.gz and so on. Raises OSError."""
        return _old_logs(self.folder, self.name)

    def exists(self) -> bool:
        try:
            os.lstat(self.name, dir_fd=self.folder)
        except FileNotFoundError:
            return False
        return True

    def rename(self, before: str, after: str) -> None:
        os.rename(self.name + before, self.name + after, src_dir_fd=self.folder, dst_dir_fd=self.folder)

    def drop(self, old: OldLog) -> int:
        os.unlink(old.name, dir_fd=self.folder)
        return old.bytes

    def drop_beyond(self, keep: int) -> int:
        return sum(self.drop(each) for each in self.old()[keep:])

    def move_up(self) -> None:
        """.1 becomes .2 and so on, highest first, so that none is overwritten."""
        for old in reversed(self.old()):
            ending = ".gz" if old.packed else ""
            self.rename(f".{old.number}{ending}", f".{old.number + 1}{ending}")

    def copy(self, *, compress: bool) -> bool:
        """To .1; False, with nothing left behind, when the disk was full after all."""
        # .0 first: a crash while it is written leaves the numbered ones as they are; moving up makes it .1
        beside = f"{self.name}.0{'.gz' if compress else ''}"
        if not self._written(self.handle, beside, compress=compress):
            return False
        self.move_up()
        os.fsync(self.folder)
        return True

    def pack_old(self, wanted: bool) -> None:
        """Compress what an earlier rotation had to leave, because it was still open then."""
        for old in self.old() if wanted else ():
            if not old.packed and self._free() >= old.bytes + SPARE_BYTES:
                self.pack(old)

    def pack(self, old: OldLog) -> None:
        handle = os.open(old.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.folder)
        try:
            if self._written(handle, f"{old.name}.gz", compress=True):
                os.fsync(self.folder)
                os.unlink(old.name, dir_fd=self.folder)
        finally:
            os.close(handle)

    def cut(self, tail_bytes: int) -> int:
        """Move the newest lines to the beginning and cut the rest off; the bytes that went. Needs no room: blocks that
        the file has already are overwritten."""
        size = os.fstat(self.handle).st_size
        source = self._line_start(size - min(tail_bytes, size // CUT_SHARE), size)
        began, target = source, 0
        while chunk := os.pread(self.handle, CHUNK_BYTES, source):  # also what is appended meanwhile
            try:
                _write_at(self.handle, chunk, target)
            except OSError as error:
                if error.errno not in _FULL:
                    raise
                # a filesystem that writes every block anew (btrfs, zfs) and has none left: only cutting makes room
                rest = os.pread(self.handle, tail_bytes, source)
                os.ftruncate(self.handle, target)
                _write_at(self.handle, rest, target)
                return began
            source += len(chunk)
            target += len(chunk)
        os.ftruncate(self.handle, target)
        os.fsync(self.handle)
        return began

    def _written(self, source: int, name: str, *, compress: bool) -> bool:
        found = os.fstat(source)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.folder)  # what a crash left
        handle = os.open(name, _NEW, 0o600, dir_fd=self.folder)
        try:
            with os.fdopen(handle, "wb") as raw, os.fdopen(os.dup(source), "rb") as plain:
                plain.seek(0)
                _stream(plain, raw, compress=compress)
                raw.flush()
                with contextlib.suppress(PermissionError):
                    os.fchown(handle, found.st_uid, found.st_gid)
                os.fchmod(handle, stat.S_IMODE(found.st_mode))
                os.fsync(handle)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=self.folder)
            if error.errno in _FULL:
                return False
            raise
        return True

    def _line_start(self, start: int, size: int) -> int:
        """The first beginning of a line at or after `start`; `start` itself where the lines are too long."""
        if start <= 0:
            return 0
        found = os.pread(self.handle, min(LINE_LIMIT_BYTES, size - start), start - 1).find(b"\n")
        return start + found if found >= 0 else start

    def _free(self) -> int:
        fs = os.fstatvfs(self.handle)
        return fs.f_bavail * fs.f_frsize


def _old_logs(folder: int, name: str) -> tuple[OldLog, ...]:
    pattern = re.compile(rf"{re.escape(name)}\.(\d{{1,4}})(\.gz)?")
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            match = pattern.fullmatch(entry.name)
            if match and entry.is_file(follow_symlinks=False):
                size = entry.stat(follow_symlinks=False).st_size
                found.append(OldLog(name=entry.name, number=int(match[1]), packed=match[2] is not None, bytes=size))
    return tuple(sorted(found, key=lambda each: (each.number, each.packed)))


def _stream(plain: io.BufferedReader, raw: io.BufferedWriter, *, compress: bool) -> None:
    if not compress:
        shutil.copyfileobj(plain, raw, CHUNK_BYTES)
        return
    with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=GZIP_LEVEL) as packed:
        shutil.copyfileobj(plain, packed, CHUNK_BYTES)


def _write_at(handle: int, chunk: bytes, target: int) -> None:
    left = memoryview(chunk)
    while left:
        written = os.pwrite(handle, left, target)
        left = left[written:]
        target += written
