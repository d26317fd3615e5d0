"""Exponential backoff as a value: pure, with the jitter passed in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits `first_s`, then `factor` times more at each attempt, at most `cap_s`, spread by `jitter` (0..1)."""

    first_s: float
    cap_s: float
    factor: float = 2.0
    jitter: float = 0.1

    def delay_s(self, attempt: int, *, luck: float = 0.5) -> float:
        """Seconds to wait before attempt number `attempt` (0 is the first retry). `luck` is uniform in 0..1."""
        grown = self.first_s * self.factor ** min(attempt, 64)
        return min(self.cap_s, grown) * (1.0 + self.jitter * (2.0 * luck - 1.0))
