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


Step = StartService | StopService | RestartService | RemoveFiles | CallStrategy | SetProbeInterval

IRREVERSIBLE_STEPS: tuple[type, ...] = (RemoveFiles,)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What one step did, in words and figures."""

    ok: bool
    message: str
    details: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
