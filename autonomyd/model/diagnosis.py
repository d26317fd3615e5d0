"""Why a problem is there: ranked causes with the evidence for and against each."""

from dataclasses import dataclass
from enum import StrEnum

from autonomyd.model.subject import Subject


class Cause(StrEnum):
    """The causes that strategies can name."""

    PROCESS_GONE = "process_gone"
    PROCESS_STOPPED = "process_stopped"
    PROCESS_HUNG = "process_hung"
    PROCESS_OVERLOADED = "process_overloaded"
    PARENT_FAILED = "parent_failed"
    DISK_FILLING = "disk_filling"
    LIMIT_EXCEEDED = "limit_exceeded"
    MEMORY_LEAK = "memory_leak"
    DESCRIPTOR_LEAK = "descriptor_leak"
    LEAKING = "leaking"
    ZOMBIES = "zombies"
    RUNAWAY = "runaway"
    WRONG_ANSWERS = "wrong_answers"
    ERRORS_IN_LOG = "errors_in_log"
    STALE_HEARTBEAT = "stale_heartbeat"
    CONFIG_CHANGED = "config_changed"
    RELEASE_CHANGED = "release_changed"
    PORT_TAKEN = "port_taken"
    PORT_HELD_BY_ORPHAN = "port_held_by_orphan"
    STALE_PID_FILE = "stale_pid_file"
    LOG_DISK_FULL = "log_disk_full"
    LOG_OUTGROWN = "log_outgrown"
    DEPENDENCY_FAILED = "dependency_failed"
    RATE_LIMITED = "rate_limited"
    SLOW_DEPENDENCY = "slow_dependency"
    FALLBACK_RUNS = "fallback_runs"
    FLAPPING = "flapping"
    CONTAINER_BROKEN = "container_broken"
    CONTAINER_SPACE = "container_space"
    BLOCKED_SESSIONS = "blocked_sessions"
    SQLITE_BLOATED = "sqlite_bloated"
    CERTIFICATE_EXPIRING = "certificate_expiring"
    JOURNAL_GROWN = "journal_grown"
    CUSTOM = "custom"
    REQUESTED = "requested"

    @property
    def words(self) -> str:
        """As people read it: `process gone`."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedCause:
    """One possible cause. `confidence` is 0..100."""

    cause: Cause
    confidence: float
    supports: tuple[str, ...] = ()
    contradicts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Causes, most likely first. Empty means undetermined, which is a valid answer.

    `signals` names the independent observations behind the first cause; `certain` says one of them is proof."""

    subject: Subject
    causes: tuple[RankedCause, ...] = ()
    signals: tuple[str, ...] = ()
    certain: bool = False
    note: str = ""

    @property
    def cause(self) -> RankedCause | None:
        return self.causes[0] if self.causes else None
