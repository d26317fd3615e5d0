"""The values that say what is known of a process. No reading here."""

from collections.abc import Mapping
from dataclasses import dataclass

HIDDEN_STATE = "?"
DEAD_STATES = frozenset("ZXx")
STOPPED_STATES = frozenset("T")
"""Not `t`: somebody looks at that process with a debugger, and would not thank for a kill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFacts:
    """One process now. `state` is the kernel's letter (R, S, D, T stopped, Z zombie, ...), `cpu_s` its own user and
    system seconds, `reaped_cpu_s` those of the children that it has waited for. `start_ticks` identifies the process
    together with the pid (`started_at`, epoch seconds, follows the wall clock when that is set). With `unknown` set the
    process is there but may not be looked at: `state` is "?" and the numbers mean nothing."""

    pid: int
    ppid: int
    name: str
    state: str
    cpu_s: float
    reaped_cpu_s: float
    threads: int
    start_ticks: int
    rss_bytes: int
    started_at: float
    unknown: str = ""

    @property
    def is_dead(self) -> bool:
        """A zombie is dead: it only waits for its parent to look."""
        return self.state in DEAD_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessCpu:
    """The CPU seconds of one process of a tree, kept for the next difference."""

    start_ticks: int
    own_s: float
    reaped_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeFacts:
    """A process with all that it started. `state`, `fds`, `uptime_s` are the main process's; the other numbers are sums
    over the tree. `cpu_percent` is of one core since the previous look (None without one), `children` counts all
    descendants, `zombies` those of them that are dead and not waited for. `unknown` names what could not be read."""

    pid: int
    start_ticks: int
    at: float
    name: str
    state: str
    started_at: float
    uptime_s: float
    cpu_percent: float | None
    rss_mb: float
    threads: int
    children: int
    zombies: int
    fds: int | None
    cpu: Mapping[int, ProcessCpu]
    unknown: tuple[str, ...] = ()


def hidden(pid: int, reason: str) -> ProcessFacts:
    """A process that exists and may not be looked at."""
    return ProcessFacts(
        pid=pid,
        ppid=0,
        name="",
        state=HIDDEN_STATE,
        cpu_s=0.0,
        reaped_cpu_s=0.0,
        threads=0,
        start_ticks=0,
        rss_bytes=0,
        started_at=0.0,
        unknown=reason,
    )
