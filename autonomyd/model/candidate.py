"""A possible optimization, and what became of it."""

from dataclasses import dataclass
from enum import StrEnum

from autonomyd.model.step import Step


class OptimizationType(StrEnum):
    PROBE_INTERVAL = "probe_interval"
    SLOW_PROBE = "slow_probe"
    CUSTOM = "custom"


class CandidateState(StrEnum):
    PROPOSED = "proposed"
    APPLIED = "applied"
    VERIFIED = "verified"
    ROLLED_BACK = "rolled_back"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizationCandidate:
    """`expected_improvement` is the expected gain as a fraction of `current_metric` (0..1), `cost` is relative
    effort and risk (> 0; 1 is the cheapest), `confidence` is 0..1."""

    component: str
    optimization_type: OptimizationType | str
    current_metric: float
    expected_improvement: float
    cost: float
    confidence: float
    id: int = 0
    step: Step | None = None
    state: CandidateState = CandidateState.PROPOSED
    created_at: float = 0.0
    updated_at: float = 0.0
    measured_metric: float | None = None
    message: str = ""

    @property
    def score(self) -> float:
        """Formula: improvement / cost x confidence."""
        return self.expected_improvement / self.cost * self.confidence
