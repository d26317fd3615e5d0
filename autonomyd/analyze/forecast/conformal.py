"""How wide an interval must be: by the errors so far, by how they grow with the way ahead, and by a stated prior while
they are few. Pure."""

import math
from collections.abc import Sequence
from typing import Final

PRIOR: Final = (-4.1, -2.0, -1.2, -0.74, -0.41, -0.13, 0.13, 0.41, 0.74, 1.2, 2.0, 4.1)
"""What is believed of the errors before any is known, in standard deviations: tails as heavy as machines have. It
counts as much as so many cases."""
TAIL: Final = 0.1
"""So much lies beyond either end of an interval of 80 %."""
UNSEEN: Final = 2.0
"""The tails are taken so many cases further out: the farthest of few errors is not the farthest there is."""
LEAST_TAIL: Final = 0.01
LEAST_Q: Final = 0.1
BLUR: Final = 0.05
"""Errors below this are equally good: their logarithms tell nothing."""
STIFF: Final = 60.0
"""The prior of how errors grow with the way ahead, in squares of its logarithm ..."""
STEEPEST: Final = 1.0
"""... and the most that is believed of it."""


def interval(
    errors: Sequence[float], over: Sequence[float], weights: Sequence[float], ahead: float, *, doubt: float = 1.0
) -> tuple[float, float]:
    """Between how many standard deviations 80 % of the errors over `ahead` spans of the line lie, a tenth beyond either
    end; `errors` were made `over` so many spans, and count by their weights; the prior is `doubt` times as wide.

    Source: split conformal prediction on each side (J. Lei and others, Distribution-free predictive inference for
    regression, 2018), weighted by nearness (R. J. Tibshirani and others, Conformal prediction under covariate shift,
    2019), with prior errors that fade as cases come."""
    ways = [math.log(share) for share in over]
    way = math.log(ahead)
    growth = _growth(errors, ways)
    found = [
        (error * math.exp(-growth * each), weight) for error, each, weight in zip(errors, ways, weights, strict=True)
    ]
    found += [(doubt * error, 1.0) for error in PRIOR]
    found.sort()
    tail = max(LEAST_TAIL, TAIL * (1.0 - UNSEEN / math.fsum(weight for _, weight in found)))
    scale = math.exp(growth * way)
    return min(-LEAST_Q, scale * _quantile(found, tail)), max(LEAST_Q, scale * _quantile(found, 1.0 - tail))


def _growth(errors: Sequence[float], ways: Sequence[float]) -> float:
    """The power by which errors grow with the way ahead, as least squares through their logarithms tell it, held back
    by the prior that they do not."""
    if not errors:
        return 0.0
    sizes = [math.log(abs(error) + BLUR) for error in errors]
    middle, mean = math.fsum(ways) / len(ways), math.fsum(sizes) / len(sizes)
    both = math.fsum((way - middle) * (size - mean) for way, size in zip(ways, sizes, strict=True))
    spread = math.fsum((way - middle) ** 2 for way in ways)
    return max(-STEEPEST, min(STEEPEST, both / (spread + STIFF)))


def _quantile(found: Sequence[tuple[float, float]], share: float) -> float:
    """Of values in order with their weights, each in the middle of its own weight, straight lines between them."""
    wanted = share * math.fsum(weight for _, weight in found)
    before, place, so_far = found[0][0], 0.0, 0.0
    for value, weight in found:
        middle = so_far + weight / 2.0
        if middle >= wanted:
            return value if place == 0.0 else before + (value - before) * (wanted - place) / (middle - place)
        before, place = value, middle
        so_far += weight
    return before
