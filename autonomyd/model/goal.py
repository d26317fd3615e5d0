"""A wished state with target metrics; progress is measured from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType


class GoalPriority(IntEnum):
    CRITICAL = 5
    HIGH = 4
    MEDIUM = 3
    LOW = 2
    DEFERRED = 1


class GoalType(StrEnum):
    PERFORMANCE = "performance"
    CAPABILITY = "capability"
    KNOWLEDGE = "knowledge"
    RELIABILITY = "reliability"


class GoalState(StrEnum):
    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """`target_metrics` maps a metric's full name ("disk:/var.used_percent") to the value to reach.
    `baseline` holds the values when the goal was made; `lower_is_better` names the direction.
    `progress` is 0..1; None while no target has a known value. Times are epoch seconds."""

    description: str
    priority: GoalPriority = GoalPriority.MEDIUM
    target_metrics: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    actions: tuple[str, ...] = ()
    type: GoalType = GoalType.RELIABILITY
    id: int = 0
    key: str = ""
    state: GoalState = GoalState.PENDING
    baseline: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    progress: float | None = None
    created_at: float = 0.0
    updated_at: float = 0.0
    result: str = ""
