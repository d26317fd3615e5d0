"""`[goals]`: which wished states the daemon sets itself."""

from typing import Annotated

from pydantic import Field

from autonomyd.settings.base import Percent, Seconds, Table


class GoalSettings(Table):
    """Which wished states the daemon sets itself."""

    enabled: bool = True
    """Whether goals are generated from the state of the machine."""
    max_open: int = Field(default=20, ge=1, le=1000)
    """Open goals at most; the least important wait."""
    disk_horizon_s: Seconds = 604800.0
    """A disk that will be full within this time by its trend becomes a goal (7 days)."""
    disk_target_percent: Percent = 80.0
    """Space in use that such a goal aims for, %."""
    failures_per_day: Annotated[int, Field(ge=1, le=1000)] = 3
    """A service that fails so often within a day becomes a goal."""
    suggest_checks: bool = True
    """A service without any check becomes a goal."""
    expire_s: Seconds = 2592000.0
    """A goal without progress for this time is given up (30 days)."""
