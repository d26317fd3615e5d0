"""A recurring span of time in which nothing is healed: somebody works on the machine."""

from dataclasses import dataclass
from datetime import tzinfo


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceWindow:
    """Every one of `days` (0 is Monday) from `begin_s` to `end_s`, seconds after local midnight in `zone` (None: the
    machine's own). An end that is not after the begin is on the next day."""

    begin_s: int
    end_s: int
    days: frozenset[int] = frozenset(range(7))
    zone: tzinfo | None = None
    reason: str = ""
