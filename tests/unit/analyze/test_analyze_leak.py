"""A steady rise toward a bound is a leak; a saw-tooth, a plateau and a far bound are none."""

import pytest

from autonomyd.analyze.detectors.leak import SAMPLES, LeakDetector


def fed(values, *, bound=100.0, every_s=10.0):
    detector = LeakDetector(bound)
    said = None
    for index, value in enumerate(values):
        said = detector.observe(index * every_s, value)
    return said


def test_it_says_when_the_bound_is_reached():
    assert fed([70.0 + 0.5 * step for step in range(SAMPLES + 10)]) == pytest.approx((100.0 - 89.5) / 0.05)


@pytest.mark.parametrize(
    "values",
    [
        [90.0] * SAMPLES,
        [80.0 + step % 5 for step in range(SAMPLES)],
        [10.0 + 0.5 * step for step in range(SAMPLES)],
        [85.0 + 0.001 * step for step in range(SAMPLES)],
        [70.0 + step for step in range(SAMPLES - 1)],
        [100.0 - 0.5 * step for step in range(SAMPLES)],
    ],
    ids=["flat", "saw-tooth", "far below", "too slow", "too few samples", "falling"],
)
def test_what_is_no_leak(values):
    assert fed(values) is None
