"""Which process is meant, and when it ends: identities that outlive pid reuse, and exits noticed at once.

On Linux a pidfd becomes readable when its process has exited, and it never points at a stranger that got the same
pid. Without pidfds (macOS, old kernels, a full descriptor table) the process is looked at a few times a second.
"""

import asyncio
import os
import sys
from collections.abc import Callable

from autonomyd.host.process import ProcessIdentity, read_process

LOOK_EVERY_S = 0.2


def identify(pid: int) -> ProcessIdentity | None:
    """The process that runs under this pid now; None when there is none, it has exited already (a zombie), or it may
    not be looked at."""
    facts = read_process(pid)
    if facts is None or facts.unknown or facts.is_dead:
        return None
    return ProcessIdentity(pid=pid, start_ticks=facts.start_ticks)


def open_pidfd(identity: ProcessIdentity) -> int | None:
    """A descriptor that surely refers to this process; the caller closes it. None where pidfds cannot be had.

    Raises ProcessLookupError when the process is gone. A zombie that was not reaped yet still has one."""
    if sys.platform != "linux":
        return None
    try:
        fd = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        raise
    except OSError:
        return None
    facts = read_process(identity.pid)
    if facts is None or (not facts.unknown and facts.start_ticks != identity.start_ticks):
        os.close(fd)
        raise ProcessLookupError(identity.pid)
    return fd


class ExitWatch:
    """Calls `on_exit` once, on the running loop, when the process has exited (soon, when it has already)."""

    def __init__(self, identity: ProcessIdentity, on_exit: Callable[[], None]) -> None:
        self._identity = identity
        self._on_exit = on_exit
        self._loop = asyncio.get_running_loop()
        self._fd: int | None = None
        self._timer: asyncio.Handle | None = None
        try:
            self._fd = open_pidfd(identity)
        except ProcessLookupError:
            self._timer = self._loop.call_soon(self._fire)
            return
        if self._fd is None:
            self._look()
        else:
            self._loop.add_reader(self._fd, self._fire)

    def cancel(self) -> None:
        """Stops watching; harmless when it fired already."""
        if self._fd is not None:
            # A closed loop has dropped its readers itself and refuses to be asked.
            if not self._loop.is_closed():
                self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        if self._identity.is_alive:
            self._timer = self._loop.call_later(LOOK_EVERY_S, self._look)
        else:
            self._fire()

    def _fire(self) -> None:
        self.cancel()
        self._on_exit()


async def wait_exit(identity: ProcessIdentity, timeout_s: float) -> bool:
    """Waits for the exit of this process; False when it still runs after `timeout_s`."""
    exited = asyncio.Event()
    watch = ExitWatch(identity, exited.set)
    try:
        async with asyncio.timeout(max(timeout_s, 0.0)):
            await exited.wait()
    except TimeoutError:
        return not identity.is_alive
    finally:
        watch.cancel()
    return True
