"""Risk by the times between: a Weibull renewal process of unknown scale and shape, both learned.

The gap from one event to the next is Weibull distributed: P(gap > t) = e^(-theta t^shape). A shape under 1 means
bursts, 1 pure chance, over 1 a rhythm. As in Soland, Bayesian Analysis of the Weibull Process With Unknown Scale and
Shape Parameters (IEEE Transactions on Reliability R-18, 1969), the shape is one of a few values with a prior weight,
and theta has a Gamma(a, b) prior for each: then everything is in closed form. With n gaps behind, E the sum of
gap^shape, and x the time since the last event (a gap that is not over is known to be longer: it is censored at now),

    P(event within h) = 1 - ((b + E + x^shape) / (b + E + (x + h)^shape))^(a + n)

averaged over the shapes, each weighted by how well it explains the gaps so far. The prior weighs as much as half a gap,
of the typical (geometric mean) length: b = a typical^shape. Old gaps fade: each counts 2^(-age / half-life) of a whole
one, a power prior (Ibrahim and Chen, Statistical Science 15, 2000). All times in days."""

import math
from array import array

from autonomyd.model.words import DAY_S

SHAPES = (0.35, 0.5, 0.7, 1.0, 1.5, 2.5, 4.0, 8.0, 16.0)
SHAPE_SPREAD = 1.0
"""Standard deviation of the prior of ln(shape) around 0: a rhythm must be shown before it is believed."""
PRIOR_GAPS = 0.5
PRIOR_GAP_D = 5.0
"""The typical gap before any is known: what happened once is not likely to happen every day."""
HALF_LIFE_D = 30.0
LEAST_GAP_D = 60.0 / DAY_S
"""Shorter gaps count as a minute: within one the order is that of the looks, not of the events."""


class Hazard:
    """The gaps of one series of events, as running sums: constant memory. Times are epoch seconds, in order."""

    __slots__ = ("_gaps", "_last_d", "_log_sum", "_powers")

    def __init__(self, first: float) -> None:
        """It came at `first`, for the first time that is known: how long after the one before is not."""
        self._last_d = first / DAY_S
        self._gaps = 0.0
        self._log_sum = 0.0
        self._powers = array("d", [0.0] * len(SHAPES))

    def observe(self, at: float) -> None:
        """It came at `at`; the gap before it is over."""
        gap = max(LEAST_GAP_D, at / DAY_S - self._last_d)
        kept = 0.5 ** (gap / HALF_LIFE_D)
        self._gaps = self._gaps * kept + 1.0
        self._log_sum = self._log_sum * kept + math.log(gap)
        for index, shape in enumerate(SHAPES):
            self._powers[index] = self._powers[index] * kept + gap**shape
        self._last_d = max(self._last_d, at / DAY_S)

    def probability(self, now: float, within_s: float) -> float:
        """That it comes within `within_s` seconds from `now`, 0..1."""
        since = max(0.0, now / DAY_S - self._last_d)
        until = since + within_s / DAY_S
        kept = 0.5 ** (since / HALF_LIFE_D)
        gaps, log_sum = self._gaps * kept, self._log_sum * kept
        count = PRIOR_GAPS + gaps
        typical = (log_sum + PRIOR_GAPS * math.log(PRIOR_GAP_D)) / count
        weights, survivals = [], []
        for shape, total in zip(SHAPES, self._powers, strict=True):
            prior = math.log(PRIOR_GAPS) + shape * typical  # of b, as a logarithm
            past = math.exp(prior) + total * kept + since**shape
            ahead = past + until**shape - since**shape
            weight = -0.5 * (math.log(shape) / SHAPE_SPREAD) ** 2 + PRIOR_GAPS * prior
            weights.append(weight + gaps * math.log(shape) + (shape - 1.0) * log_sum - count * math.log(past))
            survivals.append((past / ahead) ** count)
        best = max(weights)
        likely = [math.exp(each - best) for each in weights]
        survives = sum(one * other for one, other in zip(likely, survivals, strict=True)) / sum(likely)
        return float(min(1.0, max(0.0, 1.0 - survives)))
