"""What the planner answers: a Plan, or a typed Refusal; both carry every gate that was asked."""

from dataclasses import dataclass
from enum import StrEnum

from autonomyd.model.decision import DecisionContext
from autonomyd.model.diagnosis import Cause
from autonomyd.model.step import Step, touched_services


class Autonomy(StrEnum):
    """How much the daemon may do for one service."""

    OBSERVE = "observe"
    SHADOW = "shadow"
    ASK = "ask"
    ACT = "act"


class Risk(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class GateName(StrEnum):
    """The gates, in their order (docs/architecture.md)."""

    PAUSED = "paused"
    AUTONOMY = "autonomy"
    KNOWN_CAUSE = "known_cause"
    SIGNALS = "signals"
    CONFIDENCE = "confidence"
    CONSENT = "consent"
    BACKUP = "backup"
    COOLDOWN = "cooldown"
    FLAPPING = "flapping"
    RECURRENCE = "recurrence"
    BLAST_RADIUS = "blast_radius"
    DEPENDENCIES = "dependencies"
    STRATEGY = "strategy"
    MOMENT = "moment"


class RefusalReason(StrEnum):
    """The typed reason why nothing is done."""

    PAUSED = "paused"
    MAINTENANCE = "maintenance"
    INTENT = "intent"
    OBSERVE_ONLY = "observe_only"
    SHADOW = "shadow"
    NEEDS_APPROVAL = "needs_approval"
    UNDETERMINED = "undetermined"
    UNKNOWN_DATA = "unknown_data"
    TOO_FEW_SIGNALS = "too_few_signals"
    LOW_CONFIDENCE = "low_confidence"
    IRREVERSIBLE = "irreversible"
    NO_BACKUP = "no_backup"
    COOLDOWN = "cooldown"
    RESTART_LIMIT = "restart_limit"
    FLAPPING = "flapping"
    HEALING_LOOP = "healing_loop"
    BLAST_RADIUS = "blast_radius"
    PARENT_FAILED = "parent_failed"
    NO_STRATEGY = "no_strategy"
    NOTHING_TO_DO = "nothing_to_do"
    CAN_WAIT = "can_wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """One gate's answer: `passed`, the value it saw and the bound it held it against, in words."""

    gate: GateName
    passed: bool
    saw: str
    needs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandCheck:
    """A command that tells whether a fix helped: exit 0 yes, another code no, out of time unknown."""

    argv: tuple[str, ...]
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps chosen now. `confidence` is 0..100. `approval` is the number of the approval that it needed, and
    `approved_by` who gave it. `validation` is asked besides the service's own checks;
    `context` is what the decision rested on."""

    strategy: str
    cause: Cause
    steps: tuple[Step, ...]
    confidence: float
    risk: Risk
    disruptive: bool
    reversible: bool
    service: str | None = None
    issue_id: int | None = None
    preview: tuple[str, ...] = ()
    gates: tuple[GateResult, ...] = ()
    approval: int | None = None
    approved_by: str = ""
    validation: CommandCheck | None = None
    context: DecisionContext | None = None

    @property
    def services(self) -> tuple[str, ...]:
        """The service that it is for, and those that its steps act on besides."""
        own = () if self.service is None else (self.service,)
        return tuple(dict.fromkeys((*own, *touched_services(self.steps))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why nothing is done now, which gate said so, and when it will be asked again (epoch seconds). `wanted` is what
    would be done if a person allowed it: every gate that no person can open has passed. `approval` is the number under
    which it waits for one."""

    reason: RefusalReason
    message: str
    gate: GateName
    retry_at: float | None = None
    park: bool = False
    gates: tuple[GateResult, ...] = ()
    strategy: str | None = None
    wanted: Plan | None = None
    approval: int | None = None
    context: DecisionContext | None = None
