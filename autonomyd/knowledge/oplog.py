"""The operation log: each acknowledged write as one JSON line beside the database, since the last snapshot.

A write is appended before it is acknowledged and stays until a snapshot holds it. So the log is what a killed process
had not yet grouped into the database, what waits while the database takes no writes, and what a restored snapshot
lacks; replaying it above the database's own `applied` number is right in all three cases."""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from autonomyd.knowledge.write import Op, op_of

MAX_BYTES = 64 * 1024 * 1024  # beyond that the log takes nothing more: a database that is locked for days fills no disk


class OpLog:
    """Two files: the current one, and an older one while a snapshot of it is being made."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".oplog.jsonl")
        self._old = database.with_name(database.name + ".oplog.old.jsonl")
        self._fd: int | None = None
        self.size = 0
        self.skipped = 0
        self.last_seq = 0

    def open(self) -> None:
        """Open or create the file; `append` does it by itself. Raises OSError."""
        self._open()

    def append(self, ops: Sequence[Op]) -> None:
        """Append all of `ops` or nothing. Raises OSError."""
        data = b"".join(op.line() for op in ops)
        fd = self._open()
        if self.size + len(data) > MAX_BYTES:
            raise OSError(errno.EFBIG, f"it has reached {MAX_BYTES // 1024 // 1024} MB")
        written = os.write(fd, data)
        if written != len(data):  # a full disk takes a part: leave no torn line
            size = self.size
            self.close()  # opening it again ends a line that cannot be cut off
            os.truncate(self.path, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.size += written
        self.last_seq = max(self.last_seq, ops[-1].seq)

    def sync(self) -> None:
        """Bring the log to the disk. Blocks; raises OSError."""
        os.fsync(self._open())
        sync_folder(self.path.parent)

    def read(self, *, after: int) -> Iterator[Op]:
        """The writes with a number above `after`, in order of the files. Counts unreadable lines in `skipped`."""
        self.skipped = 0
        for path in (self._old, self.path):
            try:
                file = path.open("rb")
            except FileNotFoundError:
                continue
            with file:
                for line in file:
                    op = op_of(line)
                    if op is None:
                        self.skipped += 1
                        continue
                    self.last_seq = max(self.last_seq, op.seq)
                    if op.seq > after:
                        yield op

    def rotate(self) -> None:
        """Begin a new file, so that the lines up to now can be dropped once a snapshot holds them."""
        if self._old.exists():  # the last snapshot failed: both files wait for the next
            return
        self.close()
        with suppress(FileNotFoundError):
            self.path.rename(self._old)

    def drop_old(self) -> None:
        """Remove the lines that a snapshot holds."""
        self._old.unlink(missing_ok=True)

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
        self._fd = None
        self.size = 0

    def _open(self) -> int:
        if self._fd is None:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self.size = _end_of_lines(fd)
            self._fd = fd
        return self._fd


def sync_folder(folder: Path) -> None:
    """Bring the names in `folder` to the disk. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _end_of_lines(fd: int) -> int:
    """Close a torn last line, so that the next write begins its own; returns the size."""
    size = os.fstat(fd).st_size
    if size and os.pread(fd, 1, size - 1) != b"\n":
        size += os.write(fd, b"\n")
    return size
