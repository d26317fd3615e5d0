"""The acts: each Step is data; execute/steps/ has the one file that carries each kind out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class StartService:
    """Start a service and wait until it runs."""

    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopService:
    """Stop a service and wait for its real exit. `force` sends SIGKILL (after SIGCONT) without asking first."""

    service: str
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartService:
    """Restart by the service's own way (systemd job, restart command) or stop and start."""

    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFiles:
    """Remove files that the preview named; a file that changed, is open or left its root since is skipped."""

    root: str
    files: tuple[str, ...]
    total_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStrategy:
    """Call a coroutine that the embedding program registered for an issue type."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetProbeInterval:
    """Change how often a probe runs (the daemon's own cost)."""

    probe: str
    before_s: float
    after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadService:
    """Make the running service read its configuration anew, without an interruption."""

    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchCommand:
    """Run the service by its declared fallback command (`fallback`), or by its main one again."""

    service: str
    fallback: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EndProcess:
    """End one process that is not the service's main one (an orphan, a thief of the port, a runaway child). `started`
    is its start in clock ticks since boot: the pid of another process is never touched. SIGTERM, then SIGKILL."""

    pid: int
    started: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteFile:
    """Put the content that the object store holds under `sha256` into `path`; `before_sha256` is what it was planned
    on (None: the file must not exist), anything else stops the fix. Owner, mode and extended attributes stay as they
    are; a file that is not there gets those given here (default: the folder's owner, readable for the owner alone)."""

    path: str
    sha256: str
    before_sha256: str | None
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFile:
    """Remove one small file whose content the backup keeps (a stale pid file)."""

    path: str
    before_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchLink:
    """Let the symbolic link `path` point to `target` again; `before` is where it must point now."""

    path: str
    target: str
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreBackup:
    """Put back what the backup of an earlier fix saved of `paths`, each only when it still is what that fix wrote."""

    backup: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetNumber:
    """Change one number in a file from `before` to `after`. `format`: toml, yaml, json, ini, env, or source. `key` is
    the dotted path of the value; for `source` it is the pattern whose one group is the number."""

    path: str
    format: str
    key: str
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateLog:
    """Rotate one log that the configuration allows: `method` is copytruncate or rename (then `signal` goes to the
    service, so that it opens the new file). `keep` old ones stay, compressed when `compress`. Without room for a copy
    the newest `tail_bytes` are kept and the rest is gone."""

    service: str
    path: str
    method: str
    keep: int
    compress: bool
    signal: str = ""
    tail_bytes: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCommand:
    """Run a program that the configuration or a playbook of the user declares; `undo` takes it back (empty: declared
    irreversible). `writes` names every file that it may change: the backup covers them."""

    argv: tuple[str, ...]
    undo: tuple[str, ...] = ()
    timeout_s: float = 30.0
    writes: tuple[str, ...] = ()
    cwd: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminateSessions:
    """End database sessions that hold others up. `check` is the service's check that knows the database; `sessions`
    are the server's own numbers; just before the act only those are met that still hold others up."""

    service: str
    check: str
    sessions: tuple[int, ...]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizeSqlite:
    """Checkpoint the write-ahead log of an SQLite file, and vacuum it when `vacuum`."""

    path: str
    vacuum: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecreateContainer:
    """Replace the service's container by a new one of the same description; the old one is kept, renamed, until the
    new one has been verified."""

    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneContainers:
    """Remove exited containers and unused images that the preview named (ids)."""

    containers: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


FileStep = WriteFile | RemoveFile | SwitchLink | SetNumber | RestoreBackup
"""Steps that write into files and nothing else: each is worked out as FileChanges before anything is done."""

Step = (
    StartService
    | StopService
    | RestartService
    | RemoveFiles
    | CallStrategy
    | SetProbeInterval
    | ReloadService
    | SwitchCommand
    | EndProcess
    | WriteFile
    | RemoveFile
    | SwitchLink
    | RestoreBackup
    | SetNumber
    | RotateLog
    | RunCommand
    | TerminateSessions
    | OptimizeSqlite
    | RecreateContainer
    | PruneContainers
)

IRREVERSIBLE_STEPS: tuple[type, ...] = (RemoveFiles, RotateLog, PruneContainers, TerminateSessions, EndProcess)
"""What they did cannot be taken back: they need a person's consent, which the configuration may give for good."""


ServiceStep = StartService | StopService | RestartService | ReloadService | SwitchCommand | RecreateContainer
"""Steps on the running service: when a fix is taken back they come last, so that a service reads what was put back."""


def write_set(steps: "tuple[Step, ...]") -> tuple[str, ...]:
    """Every path that the steps may write, in order, once each; the backup must cover exactly these."""
    paths: dict[str, None] = {}
    for step in steps:
        if isinstance(step, WriteFile | RemoveFile | SwitchLink | SetNumber):
            paths[step.path] = None
        elif isinstance(step, RestoreBackup):
            paths.update(dict.fromkeys(step.paths))
        elif isinstance(step, RunCommand):
            paths.update(dict.fromkeys(step.writes))
    return tuple(paths)


def touched_services(steps: "tuple[Step, ...]") -> tuple[str, ...]:
    """The services that the steps act on, in order, once each."""
    return tuple(dict.fromkeys(step.service for step in steps if isinstance(step, ServiceStep)))


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What one step did, in words and figures."""

    ok: bool
    message: str
    details: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
