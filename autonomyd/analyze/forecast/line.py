"""A robust line through equally spaced points, what it does not explain, and when it covers a distance.

What is left beside the line is taken to be of two kinds: noise that does not last (a/2 a point), and a walk that does
(b a step). Both are read from the structure function D(m) = mean((x[i+m] - x[i] - m * rise)^2), for which such a series
has a + b * m. A step now and then, a nightly job, a saw-tooth land where they belong by this: in b while they come at
random, in a while they return. So the interval is as wide as the series has earned."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FEWEST: Final = 8
LAGS: Final = (1, 2, 4)
MEAN_LAG: Final = sum(LAGS) / len(LAGS)
SQUARES: Final = sum(lag * lag for lag in LAGS)
SPREAD: Final = SQUARES - len(LAGS) * MEAN_LAG**2
CHANCE: Final = 0.07
"""So much of the mean of D is a slope that noise alone shows by chance in a few points."""
PEAK_SHARE: Final = 0.07
"""The highest of many noisy points varies by so much of what one of them does."""
LEAST_LOG: Final = 0.7
"""Of fewer than two values the largest is no larger than the mean."""
FLOOR_SHARE: Final = 0.001
"""No slope is known better than to this share of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`rise` a second; `level` at the newest point, with its variance; `noise`: variance of a point, `walk`: of what is
    added for good in a second, `rise_var`: of the rise."""

    rise: float
    level: float
    level_var: float
    noise: float
    walk: float
    rise_var: float

    @property
    def steepness(self) -> float:
        """The rise in its standard deviations."""
        return self.rise / math.sqrt(self.rise_var) if self.rise_var > 0.0 else 0.0

    def variance(self, after_s: float) -> float:
        """Of the highest that is forecast for the next `after_s` seconds."""
        return self._fixed + self.walk * after_s + self.rise_var * after_s * after_s

    def reaches(self, distance: float, q: float) -> float | None:
        """In how many seconds the line, `q` standard deviations above itself (below, when negative), has covered
        `distance` (> 0); None where it may never.

        Source: the roots of (distance - rise * h)^2 = q^2 * variance(h), as in E. C. Fieller, Some problems in
        interval estimation (1954), with the two further terms of a noisy walk."""
        z = q * q
        square = self.rise * self.rise - z * self.rise_var
        linear = 2.0 * distance * self.rise + z * self.walk
        fixed = distance * distance - z * self._fixed
        root = linear + math.sqrt(max(0.0, linear * linear - 4.0 * square * fixed))
        if q >= 0.0:
            return 2.0 * fixed / root if fixed > 0.0 and root > 0.0 else 0.0
        return root / (2.0 * square) if square > 0.0 else None

    @property
    def _fixed(self) -> float:
        return self.level_var + PEAK_SHARE * self.noise


def line_through(values: Sequence[float], step_s: float) -> Line | None:
    """The line through `values`, oldest first, `step_s` seconds apart; None with fewer than 8, or when all are equal.

    Source: the median of all pairs' slopes (H. Theil 1950, P. K. Sen 1968); the level by the steady filter of a local
    level (A. C. Harvey, Forecasting, Structural Time Series Models and the Kalman Filter, 1989, 4.1.2)."""
    n = len(values)
    if n < FEWEST or min(values) == max(values):
        return None
    rise = _rise(values, n)
    noise, walk = _parts(values, n, rise)
    gain = _gain(noise, walk)
    level = sum(values) / n - rise * (n - 1) / 2.0
    for index, value in enumerate(values):
        expected = level + (rise if index else 0.0)
        level = expected + max(gain, 1.0 / (index + 1)) * (value - expected)
    rise_var = walk / n + 12.0 * noise / (n * n * n) + (FLOOR_SHARE * rise) ** 2
    return Line(
        rise=rise / step_s,
        level=level,
        level_var=max(gain, 2.0 / n) * noise,
        noise=noise,
        walk=walk / step_s,
        rise_var=rise_var / (step_s * step_s),
    )


def lead(deviation: float, rise: float) -> float:
    """How far above the line noise of this deviation is seen first, while it rises by `rise` a sample: the largest
    of as many normal values as come while it rises by one deviation.

    Source: H. Cramer, Mathematical Methods of Statistics (1946), 28.6, for the largest of n normal values."""
    if rise <= 0.0 or deviation <= rise:
        return 0.0
    log_n = math.log(deviation / rise)
    if log_n < LEAST_LOG:
        return 0.0
    root = math.sqrt(2.0 * log_n)
    return deviation * max(0.0, root - (math.log(log_n) + math.log(4.0 * math.pi)) / (2.0 * root))


def _rise(values: Sequence[float], n: int) -> float:
    slopes = [
        (after - before) / apart for apart in range(1, n) for before, after in zip(values, values[apart:], strict=False)
    ]
    slopes.sort()
    middle = len(slopes) // 2
    return slopes[middle] if len(slopes) % 2 else (slopes[middle - 1] + slopes[middle]) / 2.0


def _parts(values: Sequence[float], n: int, rise: float) -> tuple[float, float]:
    """(variance of the noise a point, variance of the walk a step): least squares through the structure function."""
    found = []
    for lag in LAGS:
        beside = [after - before - lag * rise for before, after in zip(values, values[lag:], strict=False)]
        found.append(sum(each * each for each in beside) / (n - lag))
    mean = sum(found) / len(LAGS)
    walk = sum((lag - MEAN_LAG) * each for lag, each in zip(LAGS, found, strict=True)) / SPREAD - CHANCE * mean
    if walk <= 0.0:
        return mean / 2.0, 0.0
    fixed = mean - walk * MEAN_LAG
    if fixed <= 0.0:
        return 0.0, sum(lag * each for lag, each in zip(LAGS, found, strict=True)) / SQUARES
    return fixed / 2.0, walk


def _gain(noise: float, walk: float) -> float:
    if noise <= 0.0:
        return 1.0
    ratio = walk / noise
    return (math.sqrt(ratio * ratio + 4.0 * ratio) - ratio) / 2.0
