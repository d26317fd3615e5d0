"""Why a problem is there: ranked causes with the evidence for and against each."""

from dataclasses import dataclass
from enum import StrEnum

from autonomyd.model.health import Severity
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
    MISSING_DEPENDENCY = "missing_dependency"
    MISSING_FILE = "missing_file"
    PERMISSION_DENIED = "permission_denied"
    CONFIG_INVALID = "config_invalid"
    AUTHENTICATION_FAILED = "authentication_failed"
    NAME_NOT_RESOLVED = "name_not_resolved"
    NETWORK_UNREACHABLE = "network_unreachable"
    TLS_FAILED = "tls_failed"
    VERSION_MISMATCH = "version_mismatch"
    DISK_FAILING = "disk_failing"
    DATA_CORRUPT = "data_corrupt"
    CLOCK_WRONG = "clock_wrong"
    HOST_STRAINED = "host_strained"
    MORE_LOAD = "more_load"
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
class Suspect:
    """A series that moved when the trouble began. `kind` is what it tells (resource, latency, errors, success, traffic,
    other), `share` 0..100 how much of the suspicion rests on its subject, `spreads` how far it moved in units of its
    usual spread; `words` say it for people."""

    subject: Subject
    metric: str
    kind: str
    share: float
    spreads: float
    rising: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Causes, most likely first. Empty means undetermined, which is a valid answer.

    `signals` names the independent observations behind the first cause; `certain` says one of them is proof.
    `suspects` are the series that moved when it began, most suspect first."""

    subject: Subject
    causes: tuple[RankedCause, ...] = ()
    signals: tuple[str, ...] = ()
    certain: bool = False
    note: str = ""
    suspects: tuple[Suspect, ...] = ()

    @property
    def cause(self) -> RankedCause | None:
        return self.causes[0] if self.causes else None


class Complexity(StrEnum):
    """How much a repair asks for: one known act; several acts or a choice; a person's work."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class FixType(StrEnum):
    """Where the repair is made."""

    CONFIGURATION = "configuration"
    CODE = "code"
    INFRASTRUCTURE = "infrastructure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What a problem means. `affected` are the services that need its subject, directly or not, nearest first: the
    blast radius. `fix_s` is the time that a repair is expected to take, `fix_from` says where that figure comes from.
    `severity` is the issue's own, or critical when many services hang on it."""

    severity: Severity
    affected: tuple[str, ...]
    complexity: Complexity
    fix_type: FixType
    fix_s: float
    fix_from: str
    why: tuple[str, ...] = ()
