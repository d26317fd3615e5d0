"""Which running process is the service? Evidence that survives the daemon, in falling order of strength.

1. The record: pid, start time and boot, written right after the start.
2. The marker: `AUTONOMYD_SERVICE=<instance>/<name>` in the environment, there from the first instruction on, so that
   a daemon that was killed between fork and record still finds its service. Programs that write a title over their
   environment lose it; hence the record.
3. The service's own pid file, believed only together with the marker or the configured command line: a stale pid
   file may name anybody.

Everything here blocks for some milliseconds (it reads /proc): scans belong in a thread.
"""

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autonomyd.host.pidfd import identify
from autonomyd.host.process import (
    ProcessIdentity,
    all_pids,
    cmdline,
    environ_value,
    read_process,
    working_folder,
)

MARKER = "AUTONOMYD_SERVICE"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PID_DIGITS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PidFile:
    """A pid file as read: the pid that it names, and when it was last written (epoch seconds)."""

    pid: int
    written_at: float


def read_pidfile(path: Path) -> PidFile | None:
    """None when the file is missing, unreadable or holds no positive number in its first line."""
    try:
        with path.open("rb") as file:
            written_at = os.fstat(file.fileno()).st_mtime
            first = file.readline(PID_DIGITS + 2).split()
    except OSError:
        return None
    if not first or not first[0].isdigit() or int(first[0]) <= 0:
        return None
    return PidFile(pid=int(first[0]), written_at=written_at)


def is_marked(pid: int, marker: str) -> bool:
    """Whether the process was started for this service, or by something that was."""
    return environ_value(pid, MARKER) == marker


def marked_processes(marker: str) -> tuple[ProcessIdentity, ...]:
    """Every live process that carries the marker, except this one and its ancestors; oldest first."""
    spared = _own_line()
    found = (identify(pid) for pid in all_pids() if pid not in spared and is_marked(pid, marker))
    return tuple(sorted((one for one in found if one is not None), key=lambda one: (one.start_ticks, one.pid)))


def leading(marked: Iterable[ProcessIdentity]) -> ProcessIdentity | None:
    """The process that was started as the service: of the marked ones without a marked parent, the oldest that leads
    its session. Workers that outlived it lead none, so that they are not taken for it."""
    processes = tuple(marked)
    pids = {one.pid for one in processes}
    for one in processes:
        facts = read_process(one.pid)
        if facts is not None and facts.ppid not in pids and session_of(one.pid) == one.pid:
            return one
    return None


def session_of(pid: int) -> int | None:
    """None when the process is gone or may not be asked."""
    try:
        return os.getsid(pid)
    except OSError:
        return None


def group_of(pid: int) -> int | None:
    """None when the process is gone or may not be asked."""
    try:
        return os.getpgid(pid)
    except OSError:
        return None


def runs_command(pid: int, command: Sequence[str], cwd: Path | None) -> bool:
    """Whether the process runs the configured command: the same arguments, the same program by name or by file
    (a script's interpreter may stand before it), and, where that can be seen, the same folder (or `/`)."""
    actual = cmdline(pid)
    extra = len(actual) - len(command)
    # A script is started by its interpreter: `#!/usr/bin/env -S python3 -u` puts at most a few words before it.
    if not 0 <= extra <= 3 or tuple(actual[extra + 1 :]) != tuple(command[1:]):
        return False
    if not _same_program(actual[extra], command[0], cwd):
        return False
    return cwd is None or working_folder(pid) in (None, "/", os.path.realpath(cwd))


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The file in which a control remembers the process that it last called the service."""

    path: Path

    def write(self, identity: ProcessIdentity) -> None:
        """Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"pid": identity.pid, "start_ticks": identity.start_ticks, "boot": _boot()})
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text + "\n", encoding="utf-8")
        fresh.replace(self.path)

    def read(self) -> ProcessIdentity | None:
        """The recorded process if it still runs."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            recorded = ProcessIdentity(pid=found["pid"], start_ticks=found["start_ticks"])
            boot = found["boot"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return recorded if boot == _boot() and identify(recorded.pid) == recorded else None


def _same_program(actual: str, configured: str, cwd: Path | None) -> bool:
    if actual == configured or os.path.basename(actual) == configured:
        return True
    return os.path.basename(actual) == os.path.basename(configured) or _file(actual, cwd) == _file(configured, cwd)


def _file(program: str, cwd: Path | None) -> str:
    if "/" in program:
        return os.path.realpath(program if cwd is None else os.path.join(cwd, program))
    return os.path.realpath(shutil.which(program) or program)


def _boot() -> str:
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _own_line() -> frozenset[int]:
    line = {os.getpid()}
    pid = os.getppid()
    while pid > 1 and pid not in line:
        line.add(pid)
        facts = read_process(pid)
        pid = 0 if facts is None else facts.ppid
    return frozenset(line)
