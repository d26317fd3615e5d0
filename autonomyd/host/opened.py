"""Which files some process has open. A file that is open must not be removed: its room would not be freed, and the
process would go on writing into nothing."""

import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFiles:
    """`files` are (device, inode) of what is open on the asked filesystems. `incomplete` says whose files could not be
    seen: then a file that is missing here may still be open."""

    files: frozenset[tuple[int, int]]
    incomplete: str = ""


def open_files(roots: Iterable[str], *, but_not_own: bool = False) -> OpenFiles:
    """One scan of all processes (`but_not_own`: except this one) for files on the filesystems of `roots`. Tens of
    milliseconds: once a clean-up."""
    skip = os.getpid() if but_not_own else 0
    devices = set()
    for root in roots:
        with contextlib.suppress(OSError):
            devices.add(os.stat(root).st_dev)
    return _scan_proc(devices, skip) if sys.platform == "linux" else _scan_psutil(devices, skip)


def is_open_elsewhere(handle: int, *, hold: bool = False) -> bool | None:
    """Whether anybody but the descriptor `handle` has its file open; None when the kernel can't say (not our file, not
    Linux, a filesystem without leases).

    It asks for a write lease, which the kernel grants only to the single opener. Unlike a scan of /proc this sees every
    process, and without permissions over them. With `hold` the lease stays until `handle` is closed, and who opens the
    file meanwhile waits."""
    if sys.platform != "linux":
        return None
    try:
        # Somebody who opens the file while the lease stands makes the kernel signal us. The default SIGIO would end the
        # daemon; SIGURG is ignored unless handled.
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    except BlockingIOError:
        return True
    except OSError:
        return None
    if not hold:
        with contextlib.suppress(OSError):
            fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _scan_proc(devices: set[int], skip: int) -> OpenFiles:
    found: set[tuple[int, int]] = set()
    unseen: list[str] = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) == skip:
            continue
        folder = f"/proc/{pid}/fd"
        try:
            names = os.listdir(folder)
        except PermissionError:
            unseen.append(pid)
            continue
        except OSError:
            continue
        for name in names:
            link = f"{folder}/{name}"
            try:
                # Sockets and pipes are told by their names; asking them costs, and some devices hang.
                if not os.readlink(link).startswith("/"):
                    continue
                status = os.stat(link)
            except PermissionError:
                unseen.append(pid)
                break
            except OSError:
                continue
            if status.st_dev in devices:
                found.add((status.st_dev, status.st_ino))
    return OpenFiles(files=frozenset(found), incomplete=_unseen(unseen))


def _scan_psutil(devices: set[int], skip: int) -> OpenFiles:
    import psutil  # Linux does without

    found: set[tuple[int, int]] = set()
    unseen: list[str] = []
    for process in psutil.process_iter():
        if process.pid == skip:
            continue
        try:
            paths = [each.path for each in process.open_files()]
        except psutil.NoSuchProcess:
            continue
        except psutil.Error:
            unseen.append(str(process.pid))
            continue
        for path in paths:
            with contextlib.suppress(OSError):
                status = os.stat(path)
                if status.st_dev in devices:
                    found.add((status.st_dev, status.st_ino))
    return OpenFiles(files=frozenset(found), incomplete=_unseen(unseen))


def _unseen(pids: list[str]) -> str:
    if not pids:
        return ""
    more = f" and {len(pids) - 3} more" if len(pids) > 3 else ""
    return f"no permission to see the open files of process {', '.join(pids[:3])}{more}"
