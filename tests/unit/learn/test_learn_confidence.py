"""Outcomes to confidence, by the worked examples; and how they fade."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.learn.confidence import (
    ENOUGH_OUTCOMES,
    Tally,
    adjustment,
    fade,
    keeps_failing,
    mean,
    observed,
    points,
    taken_back,
)

DAY_S = 86400.0
HALF_LIFE_S = 30.0 * DAY_S
NOW = 1.7e9


def tally_of(*successes: bool, said: float = 90.0, every_s: float = 0.0) -> Tally:
    """Outcomes on problems of their own, the last one now."""
    made = Tally()
    for number, success in enumerate(successes):
        at = NOW - every_s * (len(successes) - 1 - number)
        made = observed(made, success=success, problem=str(number), at=at, half_life_s=HALF_LIFE_S, said=said)
    return made


learned = partial(points, now=NOW, half_life_s=HALF_LIFE_S)


@pytest.mark.parametrize(("base", "rate", "result"), [(70, 0.8, 76), (70, 0.85, 77), (70, 0.5, 70), (70, 0.0, 60)])
def test_the_worked_examples_exactly(base, rate, result):
    assert base + adjustment(rate) == result


@given(rate=st.floats(0, 1))
def test_it_adds_at_most_ten_points(rate):
    assert -10.0 <= adjustment(rate) <= 10.0


@pytest.mark.parametrize(
    ("healed", "total", "result"), [(8, 10, 76), (17, 20, 77), (5, 10, 70), (0, 5, 60), (5, 5, 80)]
)
def test_outcomes_give_the_worked_examples(healed, total, result):
    assert 70 + learned(tally_of(*[True] * healed, *[False] * (total - healed))) == result


def test_nothing_is_added_before_there_are_enough():
    assert learned(tally_of(*[True] * (ENOUGH_OUTCOMES - 1))) == 0.0
    assert learned(tally_of(*[True] * ENOUGH_OUTCOMES)) == 10.0


def test_what_is_old_counts_half_after_a_half_life_and_nothing_in_the_end():
    assert fade(0.0, HALF_LIFE_S) == 1.0
    assert fade(HALF_LIFE_S, HALF_LIFE_S) == 0.5
    old_failures = tally_of(*[False] * 5)
    for number in range(5):
        old_failures = observed(
            old_failures,
            success=True,
            problem=f"new {number}",
            at=NOW + HALF_LIFE_S,
            half_life_s=HALF_LIFE_S,
            said=90.0,
        )
    later = points(old_failures, now=NOW + HALF_LIFE_S, half_life_s=HALF_LIFE_S)
    assert later == pytest.approx(adjustment(2 / 3))  # five new successes against five failures that count half
    assert points(tally_of(*[False] * 5), now=NOW + 100 * HALF_LIFE_S, half_life_s=HALF_LIFE_S) == 0.0


def test_a_clock_that_is_set_back_makes_nothing_count_more():
    before = tally_of(True, True)
    after = observed(before, success=True, problem="x", at=NOW - 10 * HALF_LIFE_S, half_life_s=HALF_LIFE_S, said=90.0)
    assert (after.good, after.at) == (3.0, NOW)
    assert fade(-1e9, HALF_LIFE_S) == 1.0


def test_the_expected_rate_begins_at_what_the_diagnosis_said():
    said = partial(mean, prior=0.9, now=NOW, half_life_s=HALF_LIFE_S)
    assert said(Tally()) == pytest.approx(0.9)
    assert said(tally_of(False, False, False)) == pytest.approx(1.8 / 5)
    assert said(tally_of(*[True] * 98)) == pytest.approx(99.8 / 100)
    faded = mean(tally_of(*[False] * 3), prior=0.9, now=NOW + 50 * HALF_LIFE_S, half_life_s=HALF_LIFE_S)
    assert faded == pytest.approx(0.9)


@given(st.lists(st.booleans(), max_size=30), st.floats(0, 1), st.floats(0, 1e9))
def test_the_expected_rate_is_a_rate(successes, prior, later_s):
    made = tally_of(*successes, every_s=3600.0)
    assert 0.0 <= mean(made, prior=prior, now=NOW + later_s, half_life_s=HALF_LIFE_S) <= 1.0


def test_tries_on_one_problem_are_one_verdict():
    made = Tally()
    for success in (False, False, False, False, True):
        made = observed(made, success=success, problem="7", at=NOW, half_life_s=HALF_LIFE_S, said=99.0)
    assert made.recent == (("7", True),)
    assert (made.healed, made.total) == (1, 5)
    assert not keeps_failing(made)


@pytest.mark.parametrize(
    ("successes", "failing"),
    [((), False), ((False, False), False), ((False,) * 3, True), ((False,) * 3 + (True,) * 3, False)],
)
def test_three_of_the_newest_five_problems(successes, failing):
    assert keeps_failing(tally_of(*successes)) is failing


def test_a_success_that_was_none_is_taken_back():
    undone = taken_back(tally_of(True, True, False), at=NOW, half_life_s=HALF_LIFE_S)
    assert (undone.healed, undone.total, undone.good, undone.bad) == (1, 2, 1.0, 1.0)
    assert taken_back(Tally(), at=NOW, half_life_s=HALF_LIFE_S).good == 0.0
