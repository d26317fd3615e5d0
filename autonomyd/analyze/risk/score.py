"""What was said held against what came: Brier score, log loss, precision and recall.

Brier: mean of (said - happened)^2 (Brier, Monthly Weather Review 78, 1950); log loss: mean of -ln of what was said of
that which happened. Both are proper: nothing is gained by saying anything but what one believes (Gneiting and Raftery,
Journal of the American Statistical Association 102, 2007)."""

import math

SURE = 1e-6
"""What is said is taken as at least so far from 0 and 1: one wrong certainty must not make the log loss infinite."""
A_CALL = 0.5
"""From this probability on it counts as foretold."""


class Score:
    """Running sums over the cases so far."""

    __slots__ = ("brier_sum", "called", "cases", "happened", "log_sum", "right")

    def __init__(self) -> None:
        self.cases = 0
        self.happened = 0
        self.called = 0
        self.right = 0
        self.brier_sum = 0.0
        self.log_sum = 0.0

    def add(self, said: float, happened: bool) -> None:
        """One case: `said` (0..1) that it comes, and whether it came."""
        self.cases += 1
        self.happened += happened
        self.called += said >= A_CALL
        self.right += said >= A_CALL and happened
        self.brier_sum += (said - happened) ** 2
        bounded = min(1.0 - SURE, max(SURE, said))
        self.log_sum -= math.log(bounded if happened else 1.0 - bounded)

    @property
    def brier(self) -> float | None:
        """0 is perfect, 0.25 a coin; None before the first case."""
        return self.brier_sum / self.cases if self.cases else None

    @property
    def log_loss(self) -> float | None:
        """0 is perfect, 0.69 a coin; None before the first case."""
        return self.log_sum / self.cases if self.cases else None

    @property
    def precision(self) -> float | None:
        """The share of what was foretold that came; None when nothing was."""
        return self.right / self.called if self.called else None

    @property
    def recall(self) -> float | None:
        """The share of what came that was foretold; None when nothing came."""
        return self.right / self.happened if self.happened else None
