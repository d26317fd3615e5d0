"""Risk by frequency: 1 / (1 + e^(-k (frequency - norm))), the logistic function of how often it came lately."""

import math
from array import array
from dataclasses import dataclass

from autonomyd.model.words import DAY_S

WINDOW_S = 7 * DAY_S
"""The frequency is that of the last week: every day of the week is in it once."""
MOST_TIMES = 64
"""Times kept. More in a week are over 9 a day, where the formula says 1 in all digits that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """`norm` is the frequency (times a day) at which the risk is a half, `k` how sharply it turns there (days).

    The default norm is ln 2 = 0.69 a day: if the times came by pure chance (a Poisson process), an event within 24 h
    would be as likely as not at that frequency, 1 - e^(-0.69) = 0.5. With k = 4 none in a week reads 6 %, one a day
    77 %, two a day 99 %."""

    k: float = 4.0
    norm: float = 0.69


def risk(frequency: float, curve: Curve) -> float:
    """0..1, for a `frequency` in times a day (not negative)."""
    exponent = min(700.0, max(-700.0, -curve.k * (frequency - curve.norm)))  # e^710 is no float any more
    return 1.0 / (1.0 + math.exp(exponent))


class Frequency:
    """How often something came in the last week. At most 64 times are kept."""

    __slots__ = ("_times",)

    def __init__(self) -> None:
        self._times = array("d")

    def observe(self, at: float) -> None:
        """It came at `at` (epoch seconds); in order of time."""
        self._times.append(at)
        if len(self._times) > MOST_TIMES:
            del self._times[0]

    def a_day(self, now: float) -> float:
        """Times a day over the week that ends at `now`."""
        return sum(at > now - WINDOW_S for at in self._times) * DAY_S / WINDOW_S
