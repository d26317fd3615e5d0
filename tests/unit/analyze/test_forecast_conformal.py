"""The interval: the prior alone at first, then what came; wider where errors grow with the way ahead."""

import random

import pytest

from autonomyd.analyze.forecast.conformal import LEAST_Q, PRIOR, interval

OVER = (0.125, 0.25, 0.5, 0.75, 1.0)


def cases(count, make):
    """`count` errors, made over each of the ways in turn."""
    over = [OVER[index % len(OVER)] for index in range(count)]
    return [make(way) for way in over], over, [1.0] * count


def test_before_any_case_the_prior_speaks():
    low, high = interval([], [], [], 1.0)
    assert low == pytest.approx(-high)
    assert PRIOR[0] <= low < PRIOR[1]


def test_the_more_is_doubted_the_wider_it_begins():
    assert interval([], [], [], 1.0, doubt=3.0)[1] == pytest.approx(3.0 * interval([], [], [], 1.0)[1])


@pytest.mark.parametrize("deviation", [0.5, 1.0, 4.0])
def test_with_the_cases_it_becomes_what_they_say(deviation):
    rng = random.Random(1)
    low, high = interval(*cases(200, lambda way: rng.gauss(0.0, deviation)), 1.0)
    assert (low, high) == pytest.approx((-1.28 * deviation, 1.28 * deviation), rel=0.35)


def test_it_is_as_lopsided_as_the_errors():
    rng = random.Random(2)
    low, high = interval(*cases(100, lambda way: 2.0 + rng.gauss(0.0, 0.5)), 1.0)
    assert low > -1.5
    assert 2.3 < high < 3.3


def test_errors_that_grow_with_the_way_widen_what_is_further_away():
    rng = random.Random(3)
    grown = cases(150, lambda way: rng.gauss(0.0, 3.0 * way))
    near, far = interval(*grown, 0.125), interval(*grown, 3.0)
    assert far[1] > 2.0 * near[1]


def test_it_is_never_nothing():
    assert interval([0.0] * 500, [1.0] * 500, [1.0] * 500, 1.0)[1] >= LEAST_Q
