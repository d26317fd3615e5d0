"""What a program that the daemon starts must not inherit from it: what the service manager told the daemon alone, the
group that opens the control socket, and the protection from the kernel's OOM killer."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

PRIVATE_NAMES = frozenset(
    {
        "NOTIFY_SOCKET",
        "WATCHDOG_PID",
        "WATCHDOG_USEC",
        "LISTEN_PID",
        "LISTEN_PIDFDID",
        "LISTEN_FDS",
        "LISTEN_FDNAMES",
        "MEMORY_PRESSURE_WATCH",
        "MEMORY_PRESSURE_WRITE",
        "MAINPID",
        "MANAGERPID",
        "SYSTEMD_EXEC_PID",
        "INVOCATION_ID",
        # A program that finds it takes its standard error for the journal and writes in the journal's format.
        "JOURNAL_STREAM",
        "RUNTIME_DIRECTORY",
        "STATE_DIRECTORY",
        "CACHE_DIRECTORY",
        "LOGS_DIRECTORY",
        "CONFIGURATION_DIRECTORY",
        "CREDENTIALS_DIRECTORY",
    }
)
"""Facts about the daemon's unit, which a started program would take for facts about itself."""
ROOT_GROUP = 0
ORDINARY_OOM_SCORE = 0
PROC = Path("/proc")


class Credentials(TypedDict, total=False):
    """Keyword arguments of subprocess.Popen; empty to inherit."""

    group: int
    extra_groups: list[int]


def without_private(base: Mapping[str, str]) -> dict[str, str]:
    """An environment without what the service manager told the daemon alone."""
    return {name: value for name, value in base.items() if name not in PRIVATE_NAMES}


def service_credentials() -> Credentials:
    """Root's group for a service of a root daemon that runs in a group of its own (the unit's `Group=`).

    A service that gives up only its user would else keep that group, and with it the control socket. Without such a
    group the service inherits all, as nothing is gained and the fork that changes groups is slower."""
    if os.geteuid() != 0 or os.getegid() == ROOT_GROUP:
        return Credentials()
    # A list that is not empty: Python 3.12.0 takes an empty one for "inherit".
    return Credentials(group=ROOT_GROUP, extra_groups=[ROOT_GROUP])


def give_ordinary_oom_score(pid: int, *, proc: Path = PROC) -> None:
    """Ends the protection that a started program has only from the daemon. Does nothing when the daemon has none, when
    the program already chose another score, or where scores do not exist; never raises."""
    with contextlib.suppress(OSError, ValueError):
        own = int((proc / "self" / "oom_score_adj").read_text())
        if own >= ORDINARY_OOM_SCORE:
            return
        score = proc / str(pid) / "oom_score_adj"
        if int(score.read_text()) == own:
            score.write_text(f"{ORDINARY_OOM_SCORE}\n")
