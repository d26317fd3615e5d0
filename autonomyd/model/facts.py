"""What judgement is given: everything known about a situation, gathered by the engine, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from autonomyd.model.decision import NO_MOMENT, MomentFacts
from autonomyd.model.diagnosis import Cause, Suspect
from autonomyd.model.fix import Outcome
from autonomyd.model.plan import Autonomy
from autonomyd.model.service import Intent, RunState, ServiceState
from autonomyd.model.timeline import Coincidence
from autonomyd.model.trust import NO_CONSENT, Calibration, ConsentFacts, Experience
from autonomyd.model.window import MaintenanceWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFacts:
    """One check of a service: its kind ("http"), failures in a row, and how many it `needed` to count as failing.
    `asks`: it asks the process for work (so that idleness speaks against it); `about_service`: it tells whether the
    service works at all, not only how some thing around it looks (a file's size). `failing_for_s` spans the begin of
    the first failed look of the row to the end of the newest; `dependency`: it asks something that the service needs,
    and not the service; `answered`: the newest failure was an answer, a wrong one, and not silence; `recalls`: it goes
    on failing for a while after what it saw once, so that looking again is no second observation."""

    name: str
    kind: str
    failing: bool
    failures: int
    needed: int
    known: bool
    asks: bool = True
    about_service: bool = True
    dependency: bool = False
    message: str = ""
    failing_for_s: float = 0.0
    answered: bool = False
    recalls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFacts:
    """A service at the moment of judgement. `cpu_percent` is of one core over the newest sample, None when unknown.
    `parents_down` names the services it depends on that are not up, `parents_unsure` those that have not been seen well
    since this one began to fail; `run_age_s` is how long it has been running. `children` depend on it, directly or not,
    and are wanted; `off_limits` are those of them that no fix of this service may touch now.
    `stopped`: its process is stopped by a signal at this moment, not long enough yet to be called frozen. `deaths` are
    the monotonic times of its last unasked ends. `fallback`: whether it runs by its fallback command, None when none is
    declared; `fallback_left_s` is the time until its own command is to be tried again."""

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
    parents_unsure: tuple[str, ...] = ()
    stopped: bool = False
    children: tuple[str, ...] = ()
    off_limits: tuple[str, ...] = ()
    deaths: tuple[float, ...] = ()
    fallback: bool | None = None
    fallback_left_s: float = 0.0
    can_reload: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PastFix:
    """A finished fix as far as the gates care. `at` is monotonic seconds of its end; `beside`: it left the processes of
    the service alone (a log was rotated, a session ended), so it says nothing of how often that is restarted."""

    strategy: str
    cause: Cause
    service: str | None
    issue_key: str
    outcome: Outcome | None
    disruptive: bool
    at: float
    beside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupPreview:
    """What freeing disk space under one allow-listed root would remove. `incomplete` says why the list of open files
    is not complete (then nothing may be removed). `kind`: logs, cache or journal (which has no files to name, only the
    size that it is brought down to)."""

    root: str
    files: tuple[str, ...]
    total_bytes: int
    incomplete: str = ""
    kind: str = "logs"
    target_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PortHolder:
    """A process that listens on a port of the service and is not its main process. `started` is in clock ticks since
    boot; pid and started are None when the owner may not be seen. `ours`: it carries the service's own mark, so it is
    an orphan of an earlier run; `allowed`: the configuration names its program as one that may be ended."""

    port: int
    pid: int | None
    started: int | None
    name: str
    ours: bool = False
    allowed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PidFileFacts:
    """The service's pid file while the service does not run. `names` says in words whom it names; `stale` only when it
    certainly names no process of the service."""

    path: str
    pid: int | None
    sha256: str
    names: str
    stale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodFile:
    """A configuration file that differs from what it was when the service was last verified healthy. `now_sha256` is
    None when it is gone. `aside` is where the present content goes, `diff_sha256` the readable difference, both in the
    object store already. `problem` is why it does not parse ("" when it does, or its format is not known). Mode and
    owner are those of the good one."""

    path: str
    good_sha256: str
    good_at: float
    now_sha256: str | None
    changed_at: float | None
    aside: str
    diff_sha256: str
    summary: str = ""
    problem: str = ""
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """The link of the release that is in use, and the target that was last verified healthy (None: none yet)."""

    link: str
    now: str
    good: str | None
    good_at: float | None = None
    changed_at: float | None = None

    @property
    def changed(self) -> bool:
        return self.good is not None and self.good != self.now


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFacts:
    """A number that the configuration allows to be tuned. `toward` is the next value, one bounded step on; None at the
    floor or ceiling. `helps` are the causes against which it is declared."""

    name: str
    path: str
    format: str
    key: str
    value: float
    toward: float | None
    floor: float
    ceiling: float
    helps: frozenset[Cause] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFile:
    """A log of the service that may be rotated, and how."""

    path: str
    bytes: int
    method: str = "copytruncate"
    keep: int = 3
    compress: bool = True
    signal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogErrors:
    """What was matched in a log lately: the rule's name, how many entries, the telling line of one (secrets masked),
    the cause that the rule stands for (None when it only says that something is wrong), how surely (0 to 100), which
    remedies are worth a look, and what a person can do. `check` names the check, or the log that no check reads."""

    check: str
    rule: str
    count: int
    example: str
    cause: Cause | None = None
    confidence: float = 0.0
    category: str = ""
    playbooks: tuple[str, ...] = ()
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """A database session that holds others up. `kind` is idle_in_transaction or blocking; `blocks` how many wait."""

    check: str
    id: int
    kind: str
    age_s: float
    blocks: int = 0
    query: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Culprit:
    """The child process of a service that the trouble comes from: it uses the CPU, or does not collect its dead
    children. `started` is in clock ticks since boot."""

    pid: int
    started: int
    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteFile:
    """An SQLite file that a check of the service looks at. `log_over` and `unused_over`: its write-ahead log, or what
    it holds unused, is over its bound; `may_rebuild`: the configuration allows it; `room`: its disk has enough for
    it."""

    check: str
    path: str
    bytes: int
    log_bytes: int
    unused_bytes: int
    log_over: bool = False
    unused_over: bool = False
    may_rebuild: bool = False
    room: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFacts:
    """The container of a service as the engine tells it."""

    id: str
    name: str
    state: str
    health: str = ""
    exit_code: int | None = None
    oom_killed: bool = False
    restarts: int = 0
    removable: tuple[str, ...] = ()
    unused_images: tuple[str, ...] = ()
    reclaimable_bytes: int = 0


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
    cooldown_first_s: float = 0.1
    cooldown_factor: float = 2.0
    cooldown_cap_s: float = 300.0
    healthy_reset_s: float = 300.0
    quick_death_s: float = 10.0
    recurrence_window_s: float = 3600.0
    acts_per_hour_service: int = 12
    acts_per_hour_host: int = 30
    restart_max: int = 5
    restart_within_s: float = 300.0
    flapping_max: int = 10
    flapping_within_s: float = 3600.0
    park_retry_s: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that one decision rests on. `now` is monotonic, `wall_now` epoch seconds; `luck` (0..1) spreads waits.
    `learned` maps (cause, strategy) to how it fared here, `earned` a strategy to the most that it may do after it
    failed here, `calibration` says how right confidence has been. `suspects` are the series that moved when the issue
    began, most suspect first. `tripped` says why the blast-radius breaker is open ("" when it is closed). `unread` maps
    a fact that could not be read to why: a strategy that reads it does nothing. `config` holds only the files that
    changed since the service was verified healthy; `changes` are those that the begin of the issue may be due to,
    most likely first, and those that came after it (confidence 0). `windows` are the maintenance windows, whether
    they are open or not."""

    now: float
    wall_now: float
    luck: float
    pause: PauseFacts
    limits: GateLimits
    service: ServiceFacts | None = None
    cleanup: CleanupPreview | None = None
    ports: tuple[PortHolder, ...] = ()
    pid_file: PidFileFacts | None = None
    config: tuple[GoodFile, ...] = ()
    release: ReleaseFacts | None = None
    numbers: tuple[NumberFacts, ...] = ()
    logs: tuple[LogFile, ...] = ()
    log_errors: tuple[LogErrors, ...] = ()
    sessions: tuple[SessionFacts, ...] = ()
    sqlite: tuple[SqliteFile, ...] = ()
    container: ContainerFacts | None = None
    culprit: Culprit | None = None
    changes: tuple[Coincidence, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    moment: MomentFacts = NO_MOMENT
    unread: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    custom_strategy: str | None = None
    past: tuple[PastFix, ...] = ()
    learned: Mapping[tuple[Cause, str], Experience] = field(default_factory=lambda: MappingProxyType({}))
    earned: Mapping[str, Autonomy] = field(default_factory=lambda: MappingProxyType({}))
    calibration: Calibration | None = None
    consent: ConsentFacts = NO_CONSENT
    windows: tuple[MaintenanceWindow, ...] = ()
    tripped: str = ""
    unknown: str = ""
