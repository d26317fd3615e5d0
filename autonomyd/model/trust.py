"""What was learned of a remedy, what a person allowed, and what shadow mode would have done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from autonomyd.model.diagnosis import Cause
from autonomyd.model.plan import Autonomy, Plan, RefusalReason


class LessonKind(StrEnum):
    """The outcomes of a fix, and what a person says of one. `undone`: rolled back by a person. `raised` and `released`
    end what was concluded from failures, and are no verdict themselves."""

    HEALED = "healed"
    INEFFECTIVE = "ineffective"
    ROLLED_BACK = "rolled_back"
    WORSENED = "worsened"
    UNVERIFIED = "unverified"
    UNDONE = "undone"
    DENIED = "denied"
    RAISED = "raised"
    RELEASED = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One outcome, or one word of a person. `said` is the confidence with which the fix was chosen, 0..100; `at` epoch
    seconds; `service` is empty for what is no service's. A `raised` one without a strategy is about all of them."""

    key: str
    at: float
    kind: LessonKind
    service: str
    strategy: str
    cause: Cause | None = None
    said: float = 0.0
    issue_id: int | None = None
    fix_id: int | None = None
    actor: str = "autonomyd"
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Experience:
    """How one strategy fared against one cause on one service. `healed` of `total` counted outcomes; `points` is what
    that adds to confidence (0 before there are enough); `mean` the expected success rate, 0..1, with the diagnosis as
    the prior. `quarantined_until` is epoch seconds: until then it is passed over."""

    total: int = 0
    healed: int = 0
    points: float = 0.0
    mean: float | None = None
    quarantined_until: float | None = None


NOTHING_LEARNED = Experience()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentFacts:
    """What a person said about the remedies of one issue. `approved` is the plan that was approved, by `actor`, as the
    approval number `approval`; `standing` maps (strategy, cause) to who allowed it for good; `denied` are strategies.
    """

    approved: Plan | None = None
    approval: int | None = None
    actor: str = ""
    standing: Mapping[tuple[str, Cause], str] = field(default_factory=lambda: MappingProxyType({}))
    denied: frozenset[str] = frozenset()


NO_CONSENT = ConsentFacts()


class ApprovalState(StrEnum):
    """`approved` waits until the other gates are open; `used`: the fix has begun; `outdated`: something else would be
    done by now, or the problem is over."""

    WAITING = "waiting"
    APPROVED = "approved"
    USED = "used"
    DENIED = "denied"
    EXPIRED = "expired"
    OUTDATED = "outdated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A plan that waits for a person. Times are epoch seconds; without an answer by `expires_at` `default` holds."""

    id: int
    issue_id: int
    plan: Plan
    reason: RefusalReason
    message: str
    asked_at: float
    expires_at: float
    state: ApprovalState = ApprovalState.WAITING
    default: str = "nothing is done"
    decided_at: float | None = None
    actor: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A person's standing word for one strategy against one cause on one service ("": on no service)."""

    service: str
    cause: Cause
    strategy: str
    at: float
    actor: str


class ShadowVerdict(StrEnum):
    """`agreed`: a person did the same; `unneeded`: it was well again within the time that a fix is given; `helpful`: it
    stayed broken, so the fix would likely have helped; `unscored`: nobody looked long enough to tell."""

    PENDING = "pending"
    AGREED = "agreed"
    UNNEEDED = "unneeded"
    HELPFUL = "helpful"
    UNSCORED = "unscored"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowCase:
    """What would have been done about one issue, with every gate in `plan.gates`, and what happened instead. Scored at
    `until` (epoch seconds) at the latest."""

    issue_id: int
    at: float
    until: float
    plan: Plan
    verdict: ShadowVerdict = ShadowVerdict.PENDING
    scored_at: float | None = None
    note: str = ""

    @property
    def key(self) -> str:
        return f"{self.issue_id}:{self.plan.strategy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRow:
    """One strategy on one service. `score` is the share of outcomes (in shadow mode: of scored cases) that were right,
    0..1, None before the first. `level` is what it may do now: the lower of `configured` and what it has earned."""

    service: str
    strategy: str
    configured: Autonomy
    level: Autonomy
    proposed: Autonomy
    why: str
    total: int = 0
    healed: int = 0
    shadow_right: int = 0
    shadow_total: int = 0
    score: float | None = None
    said: float | None = None
    brier: float | None = None
    quarantined_until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationBin:
    """Fixes that were chosen with a confidence of `low` to `high` (0..100): `said` on the average, right in `right` of
    `count`."""

    low: float
    high: float
    count: int
    right: int
    said: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """`brier` is the mean squared distance of said and happened (0 is perfect, 0.25 a coin); None before the first."""

    count: int
    brier: float | None
    bins: tuple[CalibrationBin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustReport:
    """All of it, for `autonomyctl trust`."""

    rows: tuple[TrustRow, ...]
    calibration: Calibration
    consents: tuple[Consent, ...] = ()
    shadow: tuple[ShadowCase, ...] = ()
