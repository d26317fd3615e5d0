"""`[risk]`: how likely a known problem is to come back, and at which hours an interruption is least noticed."""

from typing import Annotated

from pydantic import Field

from autonomyd.settings.base import Percent, Table
from autonomyd.settings.maintenance import WindowSettings


class RiskSettings(Table):
    """How likely a known problem is to come back, and at which hours an interruption is least noticed."""

    k: Annotated[float, Field(gt=0, le=1000)] = 4.0
    """How sharply the risk by frequency turns at the norm: 1 / (1 + e^(-k (frequency - norm))), days."""
    norm: Annotated[float, Field(ge=0, le=1000)] = 0.69
    """Frequency at which that risk is a half, times a day. By pure chance a day brings it as likely as not at ln 2."""
    foretell_percent: Percent = 70.0
    """From this risk on, of a kind that came three times, the next is foretold and later marked right or wrong."""
    quiet: tuple[WindowSettings, ...] = ()
    """Hours for interruptions that can wait; default: learned from the use of the CPU."""
