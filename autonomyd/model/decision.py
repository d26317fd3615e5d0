"""What a decision rested on, as it was at that moment; and why each remedy was or was not the one."""

from dataclasses import dataclass
from enum import StrEnum

from autonomyd.model.diagnosis import Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentFacts:
    """The machine and the hour in which a decision falls. Percentages are of the whole machine, None when unknown.

    `busy`: whether people would notice an interruption now more than at another hour (None: not known), `busy_why` says
    from what; `quiet_at` is when the next quiet hour begins. `left_s` is the soonest credible time until what the issue
    warns of happens. `again` is the risk (0..1) that such a problem comes within 24 h."""

    memory_percent: float | None = None
    cpu_percent: float | None = None
    memory_pressure_percent: float | None = None
    busy: bool | None = None
    busy_why: str = ""
    quiet_at: float | None = None
    left_s: float | None = None
    again: float | None = None


NO_MOMENT = MomentFacts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """One remedy that could be used, and what it was weighed at among those of its rung (about 0..1, more is better);
    `why` tells what moved it."""

    strategy: str
    rung: int
    score: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionContext:
    """What the decision rested on, each in words and figures: the state of the subject, the history of the remedy, the
    machine's health, the resources that the remedy takes, what people prefer, the risk, the hour, and what will count
    as success. `weighed` are the remedies that were there to choose from, best first."""

    state: str
    history: str
    health: str
    resources: str
    preferences: str
    risk: str
    time: str
    success: str
    weighed: tuple[Weighed, ...] = ()


class Standing(StrEnum):
    """`chosen`: it is the one that is proposed now (its gates may still hold it); `held`: a gate would refuse it;
    `behind`: another comes first; `ruled_out`: it can't be used now; `other_cause`: it is for something else."""

    CHOSEN = "chosen"
    HELD = "held"
    BEHIND = "behind"
    RULED_OUT = "ruled_out"
    OTHER_CAUSE = "other_cause"


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyVerdict:
    """Why one remedy is not used now, or that it is. `confidence` (0..100) and how many points it is `short_by` are set
    where the remedy is for a cause that was found; `gate` is the first that refuses, with what it `saw` and `needs`;
    `retry_at` epoch seconds."""

    strategy: str
    rung: int
    standing: Standing
    why: str
    cause: Cause | None = None
    confidence: float | None = None
    short_by: float = 0.0
    gate: str | None = None
    saw: str = ""
    needs: str = ""
    retry_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot:
    """All remedies held against one open issue. `decision` says why nothing is decided about it at all ("" when it is);
    `note` why the cause is not known, where it is not. Those for another cause come last."""

    issue_id: int
    summary: str
    decision: str
    cause: Cause | None
    note: str
    verdicts: tuple[StrategyVerdict, ...]
