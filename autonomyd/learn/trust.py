"""Which level of autonomy a remedy has deserved, and what shadow mode proved. Proposals only: a person decides."""

from dataclasses import dataclass

from autonomyd.model.plan import Autonomy, Plan
from autonomyd.model.step import RestartService, StartService, StopService
from autonomyd.model.trust import ShadowCase, ShadowVerdict

ENOUGH = 5
"""Cases or outcomes before a higher level is proposed."""
SHADOW_SHARE = 0.8
ASK_MEAN = 0.85
RIGHT = (ShadowVerdict.AGREED, ShadowVerdict.HELPFUL)
SCORED = (*RIGHT, ShadowVerdict.UNNEEDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is known of one strategy on one service: `healed` of `total` outcomes with their expected rate `mean`
    (0..1), `right` of `scored` shadow cases, and the level it has fallen to (None: it never fell)."""

    total: int = 0
    healed: int = 0
    mean: float | None = None
    right: int = 0
    scored: int = 0
    fallen: Autonomy | None = None


def proposed(level: Autonomy, record: Record) -> tuple[Autonomy, str]:
    """The level that the record speaks for, one step up at the most, and why."""
    if record.fallen is not None:
        return level, f"it fell to {record.fallen} after failures ({record.healed} of {record.total} healed)"
    if level is Autonomy.OBSERVE:
        return Autonomy.SHADOW, "shadow costs nothing: it notes what it would have done, and is scored"
    if level is Autonomy.SHADOW:
        return _from_shadow(record)
    if level is Autonomy.ASK:
        return _from_ask(record)
    if record.total >= ENOUGH and (record.mean or 0.0) < 0.5:
        return Autonomy.ASK, f"only {record.healed} of {record.total} healed"
    return Autonomy.ACT, f"{record.healed} of {record.total} healed" if record.total else "nothing speaks against it"


def shadow_verdict(case: ShadowCase, *, now: float, over: bool, same_by_person: bool) -> ShadowVerdict:
    """What a case is worth at `now` (epoch seconds). `over`: the problem is no longer open."""
    if same_by_person:
        return ShadowVerdict.AGREED
    if over:
        return ShadowVerdict.UNNEEDED if now <= case.until else ShadowVerdict.HELPFUL
    return ShadowVerdict.HELPFUL if now >= case.until else ShadowVerdict.PENDING


def same_deed(one: Plan, other: Plan) -> bool:
    """Whether both do the same to the same service: a stop followed by a start is a restart."""
    return one.service == other.service and bool(_deed(one)) and _deed(one) == _deed(other)


def _deed(plan: Plan) -> str:
    kinds = {type(step) for step in plan.steps if getattr(step, "service", plan.service) == plan.service}
    if RestartService in kinds or {StopService, StartService} <= kinds:
        return "restart"
    if kinds == {StartService}:
        return "start"
    return "stop" if kinds == {StopService} else ""


def _from_shadow(record: Record) -> tuple[Autonomy, str]:
    share = record.right / record.scored if record.scored else 0.0
    words = f"{record.right} of {record.scored} times it would have been right"
    if record.scored < ENOUGH:
        return Autonomy.SHADOW, f"{words}; {ENOUGH} cases are enough to judge"
    if share < SHADOW_SHARE:
        return Autonomy.SHADOW, f"{words}; {SHADOW_SHARE:.0%} is enough"
    return Autonomy.ASK, words


def _from_ask(record: Record) -> tuple[Autonomy, str]:
    words = f"{record.healed} of {record.total} approved fixes healed"
    if record.total < ENOUGH:
        return Autonomy.ASK, f"{words}; {ENOUGH} are enough to judge"
    if (record.mean or 0.0) < ASK_MEAN:
        return Autonomy.ASK, f"{words} (expected rate {record.mean or 0.0:.0%}; {ASK_MEAN:.0%} is enough)"
    return Autonomy.ACT, words
