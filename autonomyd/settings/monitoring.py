"""`[monitoring]`: what of the machine is looked at, and how much of it is remembered."""

from typing import Annotated

from pydantic import Field

from autonomyd.settings.base import Seconds, Table


class MonitoringSettings(Table):
    """What of the machine is looked at, and how much of it is remembered."""

    history: int = Field(default=1000, ge=60, le=100_000)
    """Samples kept in memory for each metric."""
    jitter: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    """Each look is shifted by up to this share of its interval, so that not all run at once."""
    trend_window_s: Seconds = 1800.0
    """The span that a trend is judged over."""
    timeout_s: Seconds = 5.0
    """A look at the host that takes longer gives up, and its result is unknown."""
    network: bool = True
    """Whether traffic and errors of network interfaces are counted."""
    ignore_disks: tuple[str, ...] = ("/snap/*", "/var/lib/docker/*", "/run/*")
    """Mount points that are not watched; * stands for anything."""
