"""`[healing]`: how sure the daemon must be, how often it may act, how long it watches what its act did."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from autonomyd.settings.base import Percent, Seconds, Table
from autonomyd.settings.maintenance import HealingWindowSettings


class Cooldown(Table):
    """The wait before the same act is tried again: first_s, then factor times more each time, at most cap_s. The next,
    harsher act waits for nothing."""

    first_s: Seconds = 0.1
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


class Flapping(Table):
    """When a service that comes up each time counts as flapping: healing it is suspended and a person is told."""

    max: int = Field(default=10, ge=2, le=1000)
    """Falls (deaths, or fixes)."""
    within_s: Seconds = 3600.0
    """Time span."""


class HealingSettings(Table):
    """How sure the daemon must be, how often it may act, how long it watches what its act did."""

    paused: bool = False
    """Start with healing paused: it observes and tells, and does nothing. `autonomyctl resume` ends it."""
    confidence: Percent = 85.0
    """Least confidence (0 to 100) in cause and remedy for an act without asking."""
    cooldown: Cooldown = Field(default_factory=Cooldown)
    """Wait before the same act is tried again."""
    healthy_reset_s: Seconds = 300.0
    """After this healthy time the wait begins again at first_s."""
    recurrence_window_s: Seconds = 3600.0
    """The same issue again within this time counts as a failed fix; at the second time a person is told."""
    flapping: Flapping = Field(default_factory=Flapping)
    """How many falls are too many, though each was healed."""
    windows: tuple[HealingWindowSettings, ...] = ()
    """Maintenance: spans of time in which nothing is healed."""
    approval_expiry_s: Seconds = 3600.0
    """A plan that waits for a person is dropped after this time, and nothing is done."""
    half_life_days: Annotated[float, Field(gt=0, le=3650)] = 30.0
    """What was learned from an outcome counts half after this time."""
    quarantine_s: Seconds = 86400.0
    """A remedy that keeps failing on a service is passed over there for this time."""
    acts_per_hour_service: int = Field(default=12, ge=1, le=10000)
    """Disruptive acts on one service within an hour; more stop all healing of it."""
    acts_per_hour_host: int = Field(default=30, ge=1, le=10000)
    """Disruptive acts on this machine within an hour; more stop all healing until a person resumes."""
    verify_s: Seconds = 120.0
    """Longest time in which new samples must show that an act helped."""
    park_retry_s: Seconds = 900.0
    """An issue that was given up is tried again after this time."""
    playbooks_dir: Annotated[str, Field(pattern=r"^/")] | None = None
    """Folder of your own playbooks (*.toml); default: playbooks.d beside the configuration file."""
