"""One execution of a plan as a transaction, and what validation observed."""

from dataclasses import dataclass
from enum import StrEnum

from autonomyd.model.issue import Transition
from autonomyd.model.plan import Plan


class FixState(StrEnum):
    """Each state is on disk before the act that it names."""

    PLANNED = "planned"
    APPROVED = "approved"
    BACKED_UP = "backed_up"
    APPLYING = "applying"
    APPLIED = "applied"
    VALIDATING = "validating"
    COMMITTED = "committed"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    ROLLBACK_FAILED = "rollback_failed"


UNFINISHED_FIX_STATES = frozenset(
    {
        FixState.PLANNED,
        FixState.APPROVED,
        FixState.BACKED_UP,
        FixState.APPLYING,
        FixState.APPLIED,
        FixState.VALIDATING,
        FixState.ROLLING_BACK,
    }
)


class Outcome(StrEnum):
    """What validation observed. `unverified`: it could not be told (no known samples)."""

    HEALED = "healed"
    INEFFECTIVE = "ineffective"
    ROLLED_BACK = "rolled_back"
    WORSENED = "worsened"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A fix as it stands. Times are epoch seconds. `actor` is who wanted it: `autonomyd` or `uid=1000 pid=77`.

    `begun` counts the steps that may have been begun, `up` names the services that it touches and that ran before it,
    `backup_id` the backup of what it writes (None: it writes no file)."""

    id: int
    plan: Plan
    state: FixState
    actor: str
    started_at: float
    ended_at: float | None = None
    outcome: Outcome | None = None
    message: str = ""
    transitions: tuple[Transition, ...] = ()
    begun: int = 0
    up: tuple[str, ...] = ()
    backup_id: str | None = None
