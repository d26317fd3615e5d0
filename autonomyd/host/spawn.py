"""Starts programs that outlive the daemon: own session, no pipes to it, none of its privileges and private variables.

`spawn` blocks until the program runs (fork and exec), so callers on the loop use a thread. The child is left to its
watcher: nothing here waits for a service.
"""

import asyncio
import contextlib
import errno
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import BinaryIO

from autonomyd.host.inherited import give_ordinary_oom_score, service_credentials, without_private
from autonomyd.host.pidfd import wait_exit
from autonomyd.host.process import ProcessIdentity, read_process
from autonomyd.host.signals import send_signal

OWN_SETTINGS = "AUTONOMYD_"
"""How the variables begin that configure the daemon; a service that is a daemon too must not take them for its own."""
OUTPUT_MODE = 0o640
TAIL_BYTES = 2000
_BUSY = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETXTBSY, errno.ENOSPC})


class SpawnError(Exception):
    """The program could not be started; the text names what is missing. `passing`: it may work later."""

    def __init__(self, message: str, *, passing: bool) -> None:
        super().__init__(message)
        self.passing = passing


@dataclass(frozen=True, slots=True, kw_only=True)
class Spawned:
    """A started child. `exec_s` is the time from the call until the program ran in it."""

    identity: ProcessIdentity
    started_at: float
    exec_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HelperEnd:
    """How a helper command ended. `code` is None when it was killed after its time; -N for signal N. `tail` is the
    last of what it printed."""

    code: int | None
    tail: str


def service_environment(base: Mapping[str, str], extra: Mapping[str, str]) -> dict[str, str]:
    """The daemon's environment without what is for the daemon alone, plus the service's own."""
    kept = {name: value for name, value in without_private(base).items() if not name.startswith(OWN_SETTINGS)}
    return kept | dict(extra)


def spawn(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], output: Path) -> Spawned:
    """Runs a program in its own session; its output is appended to the file `output` (folders are made).

    Blocks until the program runs. Raises SpawnError when the folder, the file or the program cannot be had."""
    begun = time.perf_counter()
    with _open_output(output) as sink:
        try:
            child = subprocess.Popen(
                list(argv),
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **service_credentials(),
            )
        except (OSError, ValueError) as error:
            raise _explained(error, argv, cwd) from error
    give_ordinary_oom_score(child.pid)  # at once: what the program starts in turn inherits the score
    exec_s = time.perf_counter() - begun
    facts = read_process(child.pid)
    # From here on the child is watched and reaped by its pid. A Popen that believes its child still runs would
    # complain when it is collected, and subprocess would later steal the exit status.
    child.returncode = 0
    if facts is None:
        raise SpawnError(f"{argv[0]}: pid {child.pid} vanished at once", passing=True)
    identity = ProcessIdentity(pid=child.pid, start_ticks=facts.start_ticks)
    return Spawned(identity=identity, started_at=facts.started_at, exec_s=exec_s)


async def run_helper(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], output: Path, timeout_s: float
) -> HelperEnd:
    """Runs a command to its end, its output appended to a file: what it leaves in the background may keep that file,
    whereas a pipe would hold the caller until the background process ends, and break under it when the daemon ends.

    Kills the command's session after `timeout_s`. Raises SpawnError."""
    written = await asyncio.to_thread(_size, output)
    spawning = asyncio.ensure_future(asyncio.to_thread(spawn, argv, cwd=cwd, env=env, output=output))
    try:
        spawned = await asyncio.shield(spawning)
    except asyncio.CancelledError:
        spawning.add_done_callback(_kill_late)
        raise
    exited = False
    try:
        exited = await wait_exit(spawned.identity, timeout_s)
    finally:
        if not exited:
            _kill_session(spawned.identity)
    if not exited:
        await wait_exit(spawned.identity, 1.0)
    status = reap(spawned.identity.pid)
    tail = await asyncio.to_thread(_tail, output, written)
    code = os.waitstatus_to_exitcode(status) if exited and status is not None else None
    return HelperEnd(code=code, tail=tail)


def reap(pid: int) -> int | None:
    """The wait status of an exited child, taken from the kernel; None when it has not exited or is not our child."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return status if found == pid else None


def explain_exit(status: int) -> str:
    """A wait status in words: "exited with code 1", "killed by SIGKILL"."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exited with code {code}"
    try:
        name = Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"killed by {name}" + (" (core dumped)" if os.WCOREDUMP(status) else "")


def _open_output(path: Path) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, OUTPUT_MODE), "ab")
    except OSError as error:
        raise SpawnError(f"{path}: cannot be written: {error.strerror}", passing=error.errno in _BUSY) from error


def _explained(error: OSError | ValueError, argv: Sequence[str], cwd: Path) -> SpawnError:
    if isinstance(error, ValueError):
        return SpawnError(f"{argv[0]!r}: {error}", passing=False)
    if error.errno in _BUSY:
        return SpawnError(f"{argv[0]}: cannot be started now: {error.strerror}", passing=True)
    if not cwd.is_dir():
        return SpawnError(f"{cwd}: the working folder is missing", passing=False)
    if error.errno == errno.ENOENT:
        return SpawnError(f"{argv[0]}: program (or the interpreter in its first line) not found", passing=False)
    return SpawnError(f"{error.filename or argv[0]}: {error.strerror}", passing=False)


def _kill_session(leader: ProcessIdentity) -> None:
    # Checked by its pidfd first; as long as the child is not reaped nobody else can get its pid as a group.
    if send_signal(leader, Signals.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader.pid, Signals.SIGKILL)


def _kill_late(spawning: asyncio.Future[Spawned]) -> None:
    """The caller was cancelled while the command was being started."""
    if not spawning.cancelled() and spawning.exception() is None:
        _kill_session(spawning.result().identity)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _tail(path: Path, since: int) -> str:
    """The last of what was appended to the file after byte `since`."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(since, end - TAIL_BYTES) if end >= since else 0)
            return file.read(TAIL_BYTES).decode(errors="replace").strip()
    except OSError:
        return ""
