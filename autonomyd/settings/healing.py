"""`[healing]`: how sure the daemon must be, how often it may act, how long it watches what its act did."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from autonomyd.settings.base import Percent, Seconds, Table


class Cooldown(Table):
    """The wait between two acts on the same issue: first_s, then factor times more each time, at most cap_s."""

    first_s: Seconds = 1.0
    """Wait after the first act that did not last, s."""
    factor: Annotated[float, Field(ge=1, le=100)] = 2.0
    """Growth from one wait to the next."""
    cap_s: Seconds = 900.0
    """Longest wait, s."""
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Each wait is spread by this share, so that many hosts do not act at once."""

    @model_validator(mode="after")
    def _cap_above_first(self) -> Self:
        if self.cap_s < self.first_s:
            raise PydanticCustomError(
                "cooldown_cap",
                "cap_s ({cap}) must be at least first_s ({first})",
                {"cap": f"{self.cap_s:g}", "first": f"{self.first_s:g}"},
            )
        return self


class HealingSettings(Table):
    """How sure the daemon must be, how often it may act, how long it watches what its act did."""

    paused: bool = False
    """Start with healing paused: it observes and tells, and does nothing. `autonomyctl resume` ends it."""
    confidence: Percent = 85.0
    """Least confidence (0 to 100) in cause and remedy for an act without asking."""
    cooldown: Cooldown = Field(default_factory=Cooldown)
    """Wait between two acts on the same issue."""
    healthy_reset_s: Seconds = 300.0
    """After this healthy time the wait begins again at first_s."""
    recurrence_window_s: Seconds = 3600.0
    """The same issue again within this time counts as a failed fix; at the second time a person is told."""
    acts_per_hour_service: int = Field(default=12, ge=1, le=10000)
    """Disruptive acts on one service within an hour; more stop all healing of it."""
    acts_per_hour_host: int = Field(default=30, ge=1, le=10000)
    """Disruptive acts on this machine within an hour; more stop all healing until a person resumes."""
    verify_s: Seconds = 120.0
    """Longest time in which new samples must show that an act helped."""
    park_retry_s: Seconds = 900.0
    """An issue that was given up is tried again after this time."""
