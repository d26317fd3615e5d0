"""A threshold on how far a series moves within a time, whatever its level: a queue that grows by 100 in 5 min."""

import math
from collections import deque

from autonomyd.analyze.verdict import Verdict

STEPS = 12
"""The time is looked at in so many steps; each counts with its mean, so that one odd sample moves little."""
CLEAR_SHARE = 0.8


class RateDetector:
    """Raised when the series is `change` or more above (with a negative `change`: below) its lowest (highest) step of
    the last `within_s` seconds; cleared when it is less than 80 % of that. Feed it in order of time; nan and infinities
    are unknown and change nothing. `last` is when the newest sample was taken."""

    __slots__ = ("_begun", "_count", "_steps", "_sum", "change", "last", "moved", "raised", "within_s")

    def __init__(self, change: float, *, within_s: float) -> None:
        self.change = change
        self.within_s = within_s
        self.last = -math.inf
        self.moved = 0.0
        self.raised = False
        self._steps: deque[tuple[float, float]] = deque(maxlen=STEPS + 1)
        self._begun = -math.inf
        self._sum = 0.0
        self._count = 0

    def observe(self, at: float, value: float) -> Verdict:
        """The verdict after this sample. `at` is monotonic seconds."""
        if not (math.isfinite(value) and math.isfinite(at) and at >= self._begun):
            return Verdict.SILENT
        self.last = at
        if at - self._begun >= self.within_s / STEPS:
            self._begun, self._sum, self._count = at, 0.0, 0
            self._steps.append((at, value))
        self._sum += value
        self._count += 1
        mean = self._sum / self._count
        self._steps[-1] = (self._begun, mean)
        while self._steps[0][0] < at - self.within_s:
            self._steps.popleft()
        up = self.change > 0
        means = [each for _, each in self._steps]
        self.moved = mean - (min(means) if up else max(means))
        far = self.moved / self.change
        self.raised = far >= (CLEAR_SHARE if self.raised else 1.0)
        if self.raised:
            return Verdict.RAISED
        return Verdict.CLEARED if far < CLEAR_SHARE else Verdict.PENDING
