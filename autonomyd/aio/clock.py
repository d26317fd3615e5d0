"""The one source of time. Intervals and deadlines use `monotonic`; only what people read uses `wall`."""

import time
from typing import Protocol


class Clock(Protocol):
    def monotonic(self) -> float:
        """Seconds that never jump."""

    def wall(self) -> float:
        """Epoch seconds; may jump when the machine's clock is set."""


class SystemClock:
    """The machine's clocks."""

    __slots__ = ()

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()
