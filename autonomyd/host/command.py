"""Runs one command under a deadline, in a process group of its own, without a shell. Must leave nothing behind when it
is stopped, and must not wait for what the command left in the background on purpose."""

import asyncio
import contextlib
import errno
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autonomyd.host.failure import CommandFailure
from autonomyd.host.inherited import give_ordinary_oom_score, without_private

__all__ = ["CommandFailure", "CommandResult", "run_command"]

OUTPUT_LIMIT = 65536
TERM_GRACE_S = 1.0
"""From SIGTERM to SIGKILL for a command that is out of time."""
KILL_GRACE_S = 1.0
"""For the kernel to end what was killed; a process stuck in the kernel may take longer and is not waited for."""
DRAIN_S = 0.25
"""For the last output after the exit. Whoever keeps the pipe open longer is a process left in the background."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """`code` is the exit code, minus the signal number when a signal ended it, None when it did not end in time.
    `output` and `error` hold at most `output_limit` bytes each, decoded with U+FFFD for what is not UTF-8."""

    code: int | None
    output: str
    error: str
    timed_out: bool
    duration_s: float
    truncated: bool = False


async def run_command(
    argv: Sequence[str],
    *,
    timeout_s: float,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
    output_limit: int = OUTPUT_LIMIT,
) -> CommandResult:
    """Run `argv` and wait for its exit. `env` is added to the daemon's own environment. At the deadline, and when the
    caller is cancelled, the whole process group gets SIGTERM and then SIGKILL; a process that moved itself into a group
    of its own lives on. Raises CommandFailure when it can't be started."""
    began = time.perf_counter()
    transport, watcher = await _start(argv, cwd, env, output_limit)
    try:
        try:
            await asyncio.wait((watcher.exited,), timeout=timeout_s)
        except asyncio.CancelledError:
            await _end_group(watcher)
            raise
        timed_out = not watcher.exited.done()
        if timed_out:
            await _end_group(watcher)
        if watcher.exited.done():
            await asyncio.wait((watcher.closed,), timeout=DRAIN_S)
        code = None if timed_out else transport.get_returncode()
    finally:
        transport.close()
    return CommandResult(
        code=code,
        output=watcher.text(1),
        error=watcher.text(2),
        timed_out=timed_out,
        duration_s=time.perf_counter() - began,
        truncated=watcher.truncated,
    )


class _Watcher(asyncio.SubprocessProtocol):
    """Keeps the first bytes of both outputs, reads the rest away so that the command never blocks on a full pipe."""

    def __init__(self, output_limit: int) -> None:
        loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        self.truncated = False
        self.pid = 0
        self._limit = output_limit
        self._kept = {1: bytearray(), 2: bytearray()}
        self._open = {1, 2}

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        kept = self._kept[fd]
        room = self._limit - len(kept)
        kept += data[:room]
        self.truncated = self.truncated or len(data) > room

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._open.discard(fd)
        if not self._open and not self.closed.done():
            self.closed.set_result(None)

    def process_exited(self) -> None:
        if not self.exited.done():
            self.exited.set_result(None)

    def text(self, fd: int) -> str:
        return self._kept[fd].decode("utf-8", "replace")

    def signal_group(self, number: signal.Signals) -> None:
        # Gone, or (macOS) only zombies left: nothing to do either way.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


async def _start(
    argv: Sequence[str], cwd: str | os.PathLike[str] | None, env: Mapping[str, str] | None, output_limit: int
) -> tuple[asyncio.SubprocessTransport, _Watcher]:
    if not argv:
        raise CommandFailure("the command is empty")
    if any("\0" in text for text in (*argv, *(env or {}), *(env or {}).values())):
        raise CommandFailure(f"can't start {argv[0]!r}: a NUL in it")  # uvloop would cut the argument there
    loop = asyncio.get_running_loop()
    starting = asyncio.ensure_future(
        loop.subprocess_exec(
            lambda: _Watcher(output_limit),
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            cwd=cwd,
            env=_environment(env),
            start_new_session=True,
        )
    )
    try:
        # Shielded: a start that is cancelled half-way would leave a process that nobody knows.
        transport, watcher = await asyncio.shield(starting)
    except asyncio.CancelledError:
        starting.add_done_callback(_kill_started)
        raise
    except (OSError, ValueError) as error:
        raise CommandFailure(_why_not_started(argv[0], cwd, error)) from None
    watcher.pid = transport.get_pid()
    # The daemon's group stays: a check may ask the daemon, and uvloop could not change it.
    give_ordinary_oom_score(watcher.pid)
    return transport, watcher


def _kill_started(starting: "asyncio.Future[tuple[asyncio.SubprocessTransport, _Watcher]]") -> None:
    if starting.cancelled() or starting.exception() is not None:
        return
    transport, watcher = starting.result()
    watcher.pid = transport.get_pid()
    watcher.signal_group(signal.SIGKILL)
    transport.close()


async def _end_group(watcher: _Watcher) -> None:
    """SIGTERM, then always SIGKILL: the main process may obey while its children do not."""
    try:
        watcher.signal_group(signal.SIGTERM)
        watcher.signal_group(signal.SIGCONT)  # a stopped process can't obey
        await asyncio.wait((watcher.exited,), timeout=TERM_GRACE_S)
    finally:
        watcher.signal_group(signal.SIGKILL)
    await asyncio.wait((watcher.exited,), timeout=KILL_GRACE_S)


def _environment(env: Mapping[str, str] | None) -> dict[str, str]:
    return without_private(os.environ) | dict(env or {})


def _why_not_started(program: str, cwd: str | os.PathLike[str] | None, error: OSError | ValueError) -> str:
    if isinstance(error, ValueError):
        return f"can't start {program!r}: {error}"
    if error.errno == errno.ENOEXEC:
        return f"can't start {program}: not a program (a script needs a first line like #!/bin/sh)"
    if cwd is not None and not os.path.isdir(cwd):
        return f"can't start {program}: the folder {os.fspath(cwd)} is not there"
    return f"can't start {program}: {(error.strerror or str(error)).lower()}"
