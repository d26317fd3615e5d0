"""`rotate = {...}`: that the service's own logs may be rotated to free space, and how."""

from typing import Annotated, Literal

from pydantic import Field

from autonomyd.settings.base import Table


class RotateSettings(Table):
    """A person's standing consent to rotate the files that `logs` names. Nothing else is ever touched."""

    method: Literal["copytruncate", "rename"] = "copytruncate"
    """Copy, then empty the file that stays open; or rename it and send `signal` (the service opens a new one)."""
    signal: Literal["HUP", "USR1", "USR2"] = "USR1"
    """For `rename`: the signal at which it opens its log anew."""
    keep: Annotated[int, Field(ge=0, le=1000)] = 3
    """Old logs that stay."""
    compress: bool = True
    """Old ones are compressed (gzip)."""
    max_mb: Annotated[float, Field(gt=0)] | None = None
    """Rotate as soon as a log takes more room, MB; default: only when its disk fills."""
