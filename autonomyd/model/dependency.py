"""Something outside the daemon that it asks (a database, the container API, a webhook), and how it does."""

from dataclasses import dataclass
from enum import StrEnum


class BreakerState(StrEnum):
    """`open`: not asked for a while, because it failed; `half_open`: the next call is the trial."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyStatus:
    """One dependency now. Counts are since the start: `calls` that were made, `failed` of them, and those `refused`
    unasked while the breaker was open; `failures` are the newest ones in a row. `since` is epoch seconds of the last
    change of state, `message` why it failed last ("" while it works)."""

    name: str
    state: BreakerState
    since: float
    calls: int
    failed: int
    refused: int
    running: int
    failures: int
    retry_in_s: float | None = None
    message: str = ""
