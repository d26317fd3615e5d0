"""The one process that stands for a service: watched until it ends, and reaped when it is a child of ours."""

import asyncio
import os
from collections.abc import Callable

from autonomyd.host.pidfd import ExitWatch
from autonomyd.host.process import ProcessIdentity, read_process
from autonomyd.host.spawn import explain_exit, reap
from autonomyd.model.service import RunState

FROZEN_LETTER = "T"  # not "t": a debugger that a person attached
NOT_OURS = "gone (exit status unknown: not our child)"
REAP_TRIES = 50
REAP_EVERY_S = 0.01
RELEASED_REAP_AFTER_S = 1.0


class MainProcess:
    """Watches one process. `ended` gets its exit in words; it is set before `on_exit` is called, once, on the loop."""

    def __init__(self, identity: ProcessIdentity, started_at: float, on_exit: Callable[["MainProcess"], None]) -> None:
        self.identity = identity
        self.started_at = started_at
        self.ended: str | None = None
        self.clean_exit = False
        self._on_exit: Callable[[MainProcess], None] | None = on_exit
        self._tries = 0
        facts = read_process(identity.pid)
        self._is_child = facts is not None and facts.ppid == os.getpid()
        self._exited = asyncio.Event()
        self._watch = ExitWatch(identity, self._reap)

    @property
    def pid(self) -> int:
        return self.identity.pid

    def state(self) -> RunState:
        """RUNNING, FROZEN (stopped by a signal) or GONE, as the kernel says at this moment."""
        facts = read_process(self.pid) if self.ended is None else None
        if facts is None or facts.is_dead:
            return RunState.GONE
        if not facts.unknown and facts.start_ticks != self.identity.start_ticks:
            return RunState.GONE
        return RunState.FROZEN if facts.state == FROZEN_LETTER else RunState.RUNNING

    def notice(self) -> str:
        """For a caller that sees it gone before the watch spoke: takes the exit now and returns it in words, "" when
        it cannot be had yet. `on_exit` follows soon, never from within this call."""
        if self.ended is None and self._on_exit is not None:
            self._watch.cancel()
            self._reap()
        return self.ended or ""

    async def wait_ended(self) -> str:
        """Returns how it ended, once it has."""
        await self._exited.wait()
        return self.ended or NOT_OURS

    def release(self) -> None:
        """No longer reports. A child stays watched in silence: somebody must take its exit status from the kernel."""
        self._on_exit = None
        self._exited.set()
        if not self._is_child or self.ended is not None:
            self._watch.cancel()

    def _reap(self) -> None:
        loop = asyncio.get_running_loop()
        if not self._is_child:
            self._finish(NOT_OURS, clean=False)
        elif self._on_exit is None:
            # Another control may have adopted the same child: the status is for the one that still reports.
            loop.call_later(RELEASED_REAP_AFTER_S, reap, self.pid)
        else:
            status = reap(self.pid)
            if status is not None:
                self._finish(explain_exit(status), clean=status == 0)
            elif self._tries < REAP_TRIES and self.state() is not RunState.GONE:
                self._tries += 1
                loop.call_later(REAP_EVERY_S, self._reap)
            else:
                self._finish("gone (exit status unknown: taken by another part of this program)", clean=False)

    def _finish(self, words: str, *, clean: bool) -> None:
        self.ended = words
        self.clean_exit = clean
        report, self._on_exit = self._on_exit, None
        if report is not None:
            # Ahead of those who wait for the end, so that they find it reported.
            asyncio.get_running_loop().call_soon(report, self)
        self._exited.set()
