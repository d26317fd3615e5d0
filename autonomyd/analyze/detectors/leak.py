"""A process that grows steadily toward a bound: told while there is time to be gentle."""

from collections import deque
from itertools import pairwise

from autonomyd.analyze.trend import slope

SAMPLES = 30
RISING_SHARE = 0.8
"""Of the steps from one sample to the next at least this share goes up: a saw-tooth is a working set, not a leak."""
NEAR_SHARE = 0.8
"""Nothing is said before this share of the bound is used."""
HORIZON_S = 900.0
"""The bound must be reached within this time if it goes on like this."""


class LeakDetector:
    """Judges one series. Feed it in order of time."""

    __slots__ = ("_bound", "_points", "raised")

    def __init__(self, bound: float) -> None:
        self._bound = bound
        self._points: deque[tuple[float, float]] = deque(maxlen=SAMPLES)
        self.raised = False

    def observe(self, at: float, value: float) -> float | None:
        """Seconds until the bound is reached, while it is near and the series rises steadily; else None.

        Formula: (bound - last) / b, with b the slope of the least-squares line through the last 30 samples."""
        self._points.append((at, value))
        left_s = self._left_s(value)
        self.raised = left_s is not None
        return left_s

    def _left_s(self, value: float) -> float | None:
        points = self._points
        if len(points) < SAMPLES or not NEAR_SHARE * self._bound <= value <= self._bound:
            return None
        values = [each for _, each in points]
        steps = [after - before for before, after in pairwise(values)]
        if sum(step > 0 for step in steps) < RISING_SHARE * len(steps):
            return None
        line = slope(points, since=points[0][0])
        if line is None or line.per_s <= 0:
            return None
        left_s = (self._bound - value) / line.per_s
        return left_s if left_s <= HORIZON_S else None
