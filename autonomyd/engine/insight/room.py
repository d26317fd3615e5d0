"""Room for one more series where only so many are judged: of those that nothing was seen of for a while the one that is
unused for longest goes."""

import math
from collections.abc import Iterable
from operator import itemgetter
from typing import TypeVar

UNUSED_S = 600.0
"""A series that nothing was seen of for this long makes room for a new one."""
FULL_S = 60.0
"""When there was no room, none is looked for again for this long: looking costs a walk over all series."""

K = TypeVar("K")


class Room:
    """One for each crowd of series. Times are monotonic seconds."""

    __slots__ = ("_full_until",)

    def __init__(self) -> None:
        self._full_until = -math.inf

    def leaver(self, at: float, used: Iterable[tuple[float, K]]) -> K | None:
        """Which of `used` (when it was seen last, and which it is) goes at `at`; None while all are in use."""
        if at < self._full_until:
            return None
        used_at, which = min(used, key=itemgetter(0))
        if at - used_at < UNUSED_S:
            self._full_until = at + FULL_S
            return None
        return which
