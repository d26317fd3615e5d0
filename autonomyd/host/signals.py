"""Signals to processes that are surely the meant ones, and the orderly end of a process with all that belongs to it."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from signal import Signals

from autonomyd.host.pidfd import open_pidfd, wait_exit
from autonomyd.host.process import ProcessIdentity, read_process

KILL_WAIT_S = 5.0
"""A killed process is gone in milliseconds, unless it hangs in the kernel."""
STRAGGLER_LOOK_S = 0.25
"""How long to wait for stragglers before looking whether they started others."""

Members = Callable[[], frozenset[ProcessIdentity]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What an end took. `asked` obeyed the first signal or were on their way, `killed` needed SIGKILL, `left` still
    run even after that (pids, ascending)."""

    asked: tuple[int, ...]
    killed: tuple[int, ...]
    left: tuple[int, ...]


def named_signal(name: str) -> Signals:
    """`TERM` or `SIGTERM` as a signal. Raises KeyError when there is none of that name."""
    return Signals["SIG" + name.removeprefix("SIG")]


def send_signal(identity: ProcessIdentity, number: Signals) -> bool:
    """Sends to exactly this process; False when it is gone. Raises PermissionError when it is not ours to signal."""
    try:
        fd = open_pidfd(identity)
    except ProcessLookupError:
        return False
    try:
        if fd is not None and sys.platform == "linux":
            signal.pidfd_send_signal(fd, number)
        elif identity.is_alive:
            os.kill(identity.pid, number)
        else:
            return False
    except ProcessLookupError:
        return False
    finally:
        if fd is not None:
            os.close(fd)
    return True


def ask_to_stop(identity: ProcessIdentity, number: Signals) -> bool:
    """Sends the signal and then SIGCONT: a frozen process can obey only when it runs again. False when it is gone."""
    if not send_signal(identity, number):
        return False
    send_signal(identity, Signals.SIGCONT)
    return True


async def end_processes(
    members: Members, *, main: ProcessIdentity | None, first: Signals, timeout_s: float, force: bool = False
) -> Ended:
    """Ends the main process, then whatever else `members` still finds; returns when they really exited.

    The main process is asked alone and first, so that it can end its own workers in order. Those that outlive it are
    asked next, and what remains after `timeout_s` is killed; with `force` everything is killed at once. `members` is
    called in a thread, several times. Raises PermissionError when a process is not ours to signal."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    asked: set[int] = set()
    if not force:
        if main is not None and await _ask_main(main, members, first):
            asked.add(main.pid)
            await wait_exit(main, timeout_s)
        asked |= await _ask_stragglers(members, main, first, deadline)
    killed, left = await _kill(members, main)
    return Ended(asked=tuple(sorted(asked - killed)), killed=tuple(sorted(killed)), left=tuple(sorted(left)))


def why_not_gone(pid: int) -> str:
    """Words for a process that survived SIGKILL."""
    facts = read_process(pid)
    if facts is not None and facts.state == "D":
        return f"pid {pid} did not exit after SIGKILL: it waits in the kernel for a disk or network file system"
    return f"pid {pid} did not exit after SIGKILL"


async def _ask_main(main: ProcessIdentity, members: Members, first: Signals) -> bool:
    sent = ask_to_stop(main, first)
    # A frozen worker would keep the main process from an orderly end.
    for other in await asyncio.to_thread(members):
        with contextlib.suppress(PermissionError):
            send_signal(other, Signals.SIGCONT)
    return sent


async def _ask_stragglers(members: Members, main: ProcessIdentity | None, first: Signals, deadline: float) -> set[int]:
    loop = asyncio.get_running_loop()
    asked: set[ProcessIdentity] = set() if main is None else {main}
    while found := await asyncio.to_thread(members):
        for process in found - asked:
            ask_to_stop(process, first)
        asked |= found
        left_s = deadline - loop.time()
        if left_s <= 0:
            break
        await asyncio.gather(*(wait_exit(process, min(left_s, STRAGGLER_LOOK_S)) for process in found))
    return {process.pid for process in asked if process != main}


async def _kill(members: Members, main: ProcessIdentity | None) -> tuple[set[int], set[int]]:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + KILL_WAIT_S
    killed: set[int] = set()
    while True:
        found = await asyncio.to_thread(members)
        if main is not None and main.is_alive:
            found |= {main}
        if not found or loop.time() >= deadline:
            return killed, {process.pid for process in found}
        for process in found:
            if send_signal(process, Signals.SIGKILL):
                killed.add(process.pid)
        await asyncio.gather(*(wait_exit(process, STRAGGLER_LOOK_S) for process in found))
