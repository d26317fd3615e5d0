"""`[forecast]`: how far ahead it is looked when disks, memory and other bounded things will be full."""

from typing import Annotated

from pydantic import Field

from autonomyd.settings.base import Percent, Table

Days = Annotated[float, Field(gt=0, le=3650)]


class ForecastSettings(Table):
    """When disks, inodes, memory, descriptors, connections and quotas will be full, by what they did so far."""

    enabled: bool = True
    """Whether it is foretold when something will be full."""
    warn_days: Days = 3.0
    """A bound that may be reached within so many days is told: as a warning when such forecasts were right often
    enough, else as a notice."""
    horizon_days: Days = 90.0
    """What is further away is not told at all."""
    least_cases: int = Field(default=20, ge=5, le=64)
    """So many earlier forecasts of the same series must have been put to the test before anything is done for one."""
    least_right_percent: Percent = 65.0
    """... and so many of them must have been right, %; 80 % is what they aim at."""
