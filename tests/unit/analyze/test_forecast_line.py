"""The line: robust against a step, honest about what it does not know, and its crossing of a bound in closed form."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.analyze.forecast.line import FEWEST, Line, lead, line_through

FINITE = st.floats(min_value=-1e15, max_value=1e15)


def test_an_exact_line_is_found_exactly():
    line = line_through([5.0 + 2.0 * step for step in range(16)], 10.0)
    assert line.rise == pytest.approx(0.2)
    assert line.level == pytest.approx(35.0)
    assert (line.noise, line.walk) == pytest.approx((0.0, 0.0))
    assert line.reaches(10.0, 1.0) == pytest.approx(50.0, rel=0.01)
    assert line.reaches(10.0, -1.0) == pytest.approx(50.0, rel=0.01)


def test_too_few_points_and_equal_ones_have_no_line():
    assert line_through([1.0] * 16, 1.0) is None
    assert line_through([float(step) for step in range(FEWEST - 1)], 1.0) is None


def test_one_outlier_does_not_turn_the_line():
    values = [float(step) for step in range(16)]
    values[7] = 500.0
    assert line_through(values, 1.0).rise == pytest.approx(1.0)


def test_a_single_step_is_no_steep_line():
    line = line_through([10.0] * 8 + [20.0] * 8, 1.0)
    assert line.steepness < 2.0


def test_noise_and_walk_are_told_apart():
    rng = random.Random(1)
    noise = [line_through([rng.gauss(0.0, 1.0) for _ in range(24)], 1.0) for _ in range(200)]
    assert sum(each.noise for each in noise) / 200 == pytest.approx(1.0, rel=0.25)
    assert sum(each.walk for each in noise) / 200 < 0.1
    walks = []
    for _ in range(200):
        at, values = 0.0, []
        for _ in range(24):
            at += rng.gauss(0.0, 1.0)
            values.append(at)
        walks.append(line_through(values, 1.0))
    assert sum(each.walk for each in walks) / 200 == pytest.approx(1.0, rel=0.4)


def test_a_rise_that_is_not_sure_may_never_get_there():
    line = Line(rise=1.0, level=0.0, level_var=0.0, noise=0.0, walk=0.0, rise_var=1.0)
    assert line.reaches(10.0, -1.3) is None
    assert 0.0 < line.reaches(10.0, 1.3) < 10.0


@given(
    st.floats(0.01, 10),
    st.floats(0, 10),
    st.floats(0, 10),
    st.floats(0, 1),
    st.floats(0.01, 1000),
    st.floats(0.1, 5),
)
def test_the_crossing_is_where_the_band_meets_the_bound(rise, noise, walk, rise_var, distance, q):
    line = Line(rise=rise, level=0.0, level_var=noise, noise=noise, walk=walk, rise_var=rise_var)
    soonest, latest = line.reaches(distance, q), line.reaches(distance, -q)
    assert 0.0 <= soonest <= distance / rise * (1 + 1e-9)
    if soonest > 0.0:
        assert rise * soonest + q * math.sqrt(line.variance(soonest)) == pytest.approx(distance, rel=1e-6)
    if latest is not None and latest < 1e6:
        assert latest >= distance / rise * (1 - 1e-9)
        assert rise * latest - q * math.sqrt(line.variance(latest)) == pytest.approx(distance, rel=1e-3, abs=1e-3)


@given(st.lists(FINITE, min_size=FEWEST, max_size=24))
def test_no_numbers_break_it(values):
    line = line_through(values, 60.0)
    if line is not None:
        assert all(math.isfinite(each) for each in (line.rise, line.level, line.noise, line.walk, line.rise_var))
        assert math.isfinite(line.reaches(1.0, 1.0))


def test_noise_is_ahead_of_the_line_the_slower_it_rises():
    assert lead(1.0, 2.0) == 0.0
    assert 0.0 < lead(1.0, 0.1) < lead(1.0, 0.001) < 5.0
