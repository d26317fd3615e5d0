"""Where a series is going: slope over a window, and its direction in words."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from autonomyd.model.health import Trend

MIN_SAMPLES = 8
STABLE_FRACTION = 0.05
"""A change over the window below this share of the scale is stable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """`per_s` units a second, `change` over the seen span, `span_s` seconds, from `samples` known samples."""

    per_s: float
    change: float
    span_s: float
    samples: int


def slope(points: Iterable[tuple[float, float]], *, since: float) -> Slope | None:
    """Least-squares line through the (at, value) points with at >= `since`; None with fewer than 8 or no span.
    Source: ordinary least squares, b = cov(t, v) / var(t), in one pass with a shifted origin."""
    n = 0
    first = last = 0.0
    sum_t = sum_v = sum_tt = sum_tv = 0.0
    for at, value in points:
        if at < since or not math.isfinite(value):
            continue
        if n == 0:
            first = at
        t = at - first
        last = at
        n += 1
        sum_t += t
        sum_v += value
        sum_tt += t * t
        sum_tv += t * value
    spread = n * sum_tt - sum_t * sum_t
    if n < MIN_SAMPLES or spread <= 0.0:
        return None
    per_s = (n * sum_tv - sum_t * sum_v) / spread
    span_s = last - first
    return Slope(per_s=per_s, change=per_s * span_s, span_s=span_s, samples=n)


def direction(found: Slope | None, *, scale: float, lower_is_better: bool = True) -> Trend:
    """The trend in words. `scale` is what counts as a whole (100 for a percentage)."""
    if found is None:
        return Trend.UNKNOWN
    if abs(found.change) < STABLE_FRACTION * scale:
        return Trend.STABLE
    return Trend.IMPROVING if (found.change < 0) is lower_is_better else Trend.WORSENING
