"""One daemon per state folder: an advisory lock on a file. The kernel gives it back when the holder dies, however."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from autonomyd.host.paths import ensure_private_dir


class AlreadyRunning(Exception):  # noqa: N818 - a state of affairs, not a fault
    """Another instance holds the lock. `pid` is None when the file does not name it."""

    def __init__(self, pid: int | None, path: Path) -> None:
        holder = "another process" if pid is None else f"pid {pid}"
        super().__init__(f"autonomyd is already running: {holder} holds {path}")
        self.pid = pid
        self.path = path


class InstanceLock:
    """Held from `acquire` until `release`. The file stays: removing it would let two daemons each lock "the" file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def acquire(self) -> Self:
        """Raises AlreadyRunning, or OSError when the file cannot be made."""
        ensure_private_dir(self.path.parent)
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _pid_in(fd)
            os.close(fd)
            raise AlreadyRunning(holder, self.path) from None
        except OSError:
            os.close(fd)
            raise
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd
        return self

    def release(self) -> None:
        """Gives the lock back; harmless when it is not held."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Self:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _pid_in(fd: int) -> int | None:
    text = os.pread(fd, 32, 0).strip()
    return int(text) if text.isdigit() else None
