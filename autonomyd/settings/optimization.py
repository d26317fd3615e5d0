"""`[optimization]`: how the daemon may lower its own cost."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from autonomyd.settings.base import Seconds, Table


class OptimizationSettings(Table):
    """How the daemon may lower its own cost: probes of calm subjects run less often, within bounds."""

    enabled: bool = True
    """Whether the daemon changes its own probe intervals. What has its own every_s is never changed."""
    max_candidates: int = Field(default=3, ge=1, le=20)
    """Changes applied at once, the best first."""
    min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.7
    """Least confidence (0 to 1) of a change."""
    target_percent: Annotated[float, Field(gt=0, le=100)] = 0.1
    """CPU of the daemon itself, in % of one core, that it aims for."""
    min_interval_factor: Annotated[float, Field(ge=0.1, le=1)] = 0.5
    """Shortest interval, as a share of the configured one."""
    max_interval_factor: Annotated[float, Field(ge=1, le=100)] = 3.0
    """Longest interval, as a multiple of the configured one."""
    verify_s: Seconds = 300.0
    """A change is measured for this time, and taken back if it did not help."""

    @model_validator(mode="after")
    def _some_room(self) -> Self:
        if self.enabled and self.min_interval_factor == self.max_interval_factor:
            raise PydanticCustomError(
                "optimization_room",
                "min_interval_factor and max_interval_factor leave no room; to switch it off: enabled = false",
            )
        return self
