"""`[detectors]`: what is judged besides levels: unrest, error budgets, fast moves, silence."""

from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from autonomyd.settings.base import Percent, Seconds, Table


class FlapSettings(Table):
    """A check that changes between passing and failing too often. 100 % is a change at every look."""

    high_percent: Percent = 30.0
    """It is a problem from this weighted share of changes among its last 21 looks on."""
    low_percent: Percent = 25.0
    """It is over below this share."""

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.low_percent >= self.high_percent:
            raise PydanticCustomError(
                "flap_levels", "low_percent must be below high_percent: else the finding would flap"
            )
        return self


class RateSettings(Table):
    """A metric that moves too fast, whatever its level."""

    change: float
    """How far it must move, in its unit; a negative number watches for a fall."""
    within_s: Seconds = 300.0
    """... within this time, s."""

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if not self.change:
            raise PydanticCustomError("rate_change", "change must not be 0")
        return self


class DetectorSettings(Table):
    """What is judged besides the levels in [thresholds]. Metrics are named as `autonomyctl metrics` lists them, or
    without their subject, which means that metric of every subject."""

    flap: FlapSettings = Field(default_factory=FlapSettings)
    """Checks that go up and down."""
    burn_rate: bool = True
    """Whether it is told that a service uses up its error budget (100 % less its `objective`) too fast: 14.4 times as
    fast as it may over 1 h, 6 times over 6 h, and as a notice 3 times over a day, or at all over three days."""
    rates: dict[str, RateSettings] = Field(default_factory=dict)
    """Metrics that move too fast, by name: `rates = { queue_length = { change = 100, within_s = 300 } }`."""
    absence: dict[str, Seconds] = Field(default_factory=dict)
    """Metrics that must keep coming, by name, with the longest silence in s: `absence = { queue_length = 120 }`. What a
    check can't tell is not absent. Pushed metrics that are not named are judged by their own rhythm, as a notice."""
