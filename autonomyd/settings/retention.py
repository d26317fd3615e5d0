"""`[retention]`: how long history stays on disk, and how large it may grow."""

from typing import Annotated

from pydantic import Field

from autonomyd.settings.base import Table


class RetentionSettings(Table):
    """How long history stays on disk, and how large it may grow. Open issues and unfinished fixes always stay."""

    days: Annotated[float, Field(gt=0, le=3650)] = 30.0
    """Events, resolved issues and finished fixes are kept for this time."""
    backup_days: Annotated[float, Field(gt=0, le=3650)] = 30.0
    """Backups of files that fixes changed are kept for this time; `autonomyctl backups` lists them."""
    max_mb: Annotated[float, Field(ge=1, le=100_000)] = 100.0
    """Size of the database; beyond it the oldest history goes first."""
    minutes_days: Annotated[float, Field(gt=0, le=90)] = 14.0
    """Every series is kept as one point a minute (lowest, highest, mean, last) for this time."""
    hours_days: Annotated[float, Field(gt=0, le=3650)] = 365.0
    """Every series is kept as one point an hour for this time."""
    series_mb: Annotated[float, Field(ge=1, le=100_000)] = 50.0
    """Size of the recorded series within `max_mb`; beyond it the oldest points go first, those of minutes before those
    of hours."""
