"""The line through a series, held against lines that are known."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.analyze.trend import MIN_SAMPLES, direction, slope
from autonomyd.model.health import Trend


def line(per_s, start, count=30, every_s=60.0, offset=1e6):
    return [(offset + number * every_s, start + per_s * number * every_s) for number in range(count)]


@given(per_s=st.floats(-10, 10), start=st.floats(-1000, 1000), offset=st.sampled_from([0.0, 1e5, 1e9]))
def test_a_straight_line_is_found_wherever_the_clock_stands(per_s, start, offset):
    found = slope(line(per_s, start, offset=offset), since=0.0)
    assert found.per_s == pytest.approx(per_s, abs=1e-6)
    assert found.span_s == pytest.approx(29 * 60.0)
    assert found.change == pytest.approx(per_s * 29 * 60.0, abs=0.01)
    assert found.samples == 30


def test_least_squares_by_hand():
    points = [(0, 1.0), (1, 3.0), (2, 2.0), (3, 5.0), (4, 4.0), (5, 7.0), (6, 6.0), (7, 9.0)]
    # by hand: n = 8, sum t = 28, sum v = 37, sum tt = 140, sum tv = 172; (8 x 172 - 28 x 37) / (8 x 140 - 28 x 28)
    assert slope(points, since=0.0).per_s == pytest.approx(340.0 / 336.0)


def test_only_what_is_young_enough_counts():
    points = [(float(at), 100.0 - at) for at in range(20)] + [(20.0 + at, float(at)) for at in range(10)]
    found = slope(points, since=20.0)
    assert (found.samples, found.per_s) == (10, pytest.approx(1.0))


@pytest.mark.parametrize("points", [[], line(1.0, 0.0, count=MIN_SAMPLES - 1), [(5.0, 1.0)] * 20])
def test_too_little_says_nothing(points):
    assert slope(points, since=0.0) is None
    assert direction(None, scale=100.0) is Trend.UNKNOWN


def test_what_is_not_a_number_is_left_out():
    points = [*line(0.01, 10.0), (2000000.0, math.nan), (2000000.0 + 1, math.inf)]
    found = slope(points, since=0.0)
    assert (found.samples, found.per_s) == (30, pytest.approx(0.01))


@pytest.mark.parametrize(
    ("change", "lower_is_better", "trend"),
    [
        (4.9, True, Trend.STABLE),
        (-4.9, True, Trend.STABLE),
        (6.0, True, Trend.WORSENING),
        (-6.0, True, Trend.IMPROVING),
        (6.0, False, Trend.IMPROVING),
        (-6.0, False, Trend.WORSENING),
    ],
)
def test_the_direction_in_words(change, lower_is_better, trend):
    found = slope(line(change / (29 * 60.0), 50.0), since=0.0)
    assert direction(found, scale=100.0, lower_is_better=lower_is_better) is trend
