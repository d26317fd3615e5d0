"""What Linux tells of a running process: its own CPU time, its memory, how often it woke, its children."""

import os
import time
from pathlib import Path


def cpu_s(pid: int) -> float:
    """CPU seconds of the process (user and system, all its threads, ended ones too; not its children), to the
    nanosecond where /proc/PID/stat counts in steps of 10 ms. Raises OSError when it is gone."""
    return time.clock_gettime((~pid << 3) | 2)  # the kernel's id of another process's CPU clock


def memory_mb(pid: int) -> dict[str, float]:
    """`Pss`, `Rss`, `Anonymous` and `Private` in MB. `Anonymous` does not depend on who else runs the same
    interpreter, as `Pss` does: it tells growth."""
    found: dict[str, float] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split(":")
        found[name] = int(value.split()[0]) / 1024
    return {
        "Pss": found["Pss"],
        "Rss": found["Rss"],
        "Anonymous": found["Anonymous"],
        "Private": found["Private_Clean"] + found["Private_Dirty"],
    }


def wakeups(pid: int) -> int:
    """How often the threads that live now went to sleep of their own (and woke again)."""
    count = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        for line in status.read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches:"):
                count += int(line.split()[1])
    return count


def children(pid: int) -> set[int]:
    """The children of all its threads; empty when it is gone."""
    found: set[int] = set()
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                found.update(map(int, file.read().split()))
    except OSError:
        pass
    return found


def load_note() -> str:
    """A remark when other programs keep this machine busy, else nothing."""
    load = os.getloadavg()[0]
    cores = os.cpu_count() or 1
    return f"measured under load {load:.1f} on {cores} cores" if load > cores / 2 else ""
