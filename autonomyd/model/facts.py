"""What judgement is given: everything known about a situation, gathered by the engine, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Outcome
from autonomyd.model.plan import Autonomy
from autonomyd.model.service import Intent, RunState, ServiceState


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFacts:
    """One check of a service: its kind ("http"), failures in a row, and how many it `needed` to count as failing.
    `asks`: it asks the process for work (so that idleness speaks against it); `about_service`: it tells whether the
    service works at all, not only how some thing around it looks (a file's size)."""

    name: str
    kind: str
    failing: bool
    failures: int
    needed: int
    known: bool
    asks: bool = True
    about_service: bool = True
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFacts:
    """A service at the moment of judgement. `cpu_percent` is of one core over the newest sample, None when unknown.
    `parents_down` names the services it depends on that are not up; `run_age_s` is how long it has been running."""

    name: str
    state: ServiceState
    run: RunState
    run_message: str
    intent: Intent
    autonomy: Autonomy
    checks: tuple[CheckFacts, ...] = ()
    cpu_percent: float | None = None
    failing_for_s: float = 0.0
    run_age_s: float | None = None
    parents_down: tuple[str, ...] = ()
    exceeded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PastFix:
    """A finished fix as far as the gates care. `at` is monotonic seconds of its end."""

    strategy: str
    cause: Cause
    service: str | None
    issue_key: str
    outcome: Outcome | None
    disruptive: bool
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupPreview:
    """What freeing disk space under one allow-listed root would remove. `incomplete` says why the list of open files
    is not complete (then nothing may be removed)."""

    root: str
    files: tuple[str, ...]
    total_bytes: int
    incomplete: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseFacts:
    """`until` is epoch seconds, None without an end."""

    paused: bool
    reason: str = ""
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLimits:
    """The bounds of the gates (settings `[healing]` and the service's `restart`)."""

    confidence: float = 85.0
    cooldown_first_s: float = 1.0
    cooldown_factor: float = 2.0
    cooldown_cap_s: float = 300.0
    healthy_reset_s: float = 300.0
    quick_death_s: float = 10.0
    recurrence_window_s: float = 3600.0
    acts_per_hour_service: int = 12
    acts_per_hour_host: int = 30
    restart_max: int = 5
    restart_within_s: float = 300.0
    park_retry_s: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that one decision rests on. `now` is monotonic, `wall_now` epoch seconds; `luck` (0..1) spreads waits.
    `learned` maps a strategy to the points that experience adds to its confidence. `tripped` says why the
    blast-radius breaker is open ("" when it is closed)."""

    now: float
    wall_now: float
    luck: float
    pause: PauseFacts
    limits: GateLimits
    service: ServiceFacts | None = None
    cleanup: CleanupPreview | None = None
    custom_strategy: str | None = None
    past: tuple[PastFix, ...] = ()
    learned: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    tripped: str = ""
    unknown: str = ""
