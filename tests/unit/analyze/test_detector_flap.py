"""Flapping as Nagios judges it: weighted changes among the last 21 states, with hysteresis."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.analyze.detectors.flap import STATES, FlapDetector
from autonomyd.analyze.verdict import Verdict


def fed(states, **levels):
    detector = FlapDetector(**levels)
    return detector, [detector.observe(state) for state in states]


def test_the_percentages_of_its_documentation():
    # "a service that changed state 7 times during the last 21 checks": about a third, newer ones weigh more
    detector, _ = fed([number // 3 % 2 == 0 for number in range(21)])
    assert detector.changes == 6
    assert detector.percent == pytest.approx(30.0, abs=1.5)
    always, _ = fed([number % 2 == 0 for number in range(21)])
    assert always.percent == pytest.approx(100.0)


def test_newer_changes_weigh_more():
    old, _ = fed([True, False] + [False] * 19)
    new, _ = fed([False] * 19 + [False, True])
    assert (old.percent, new.percent) == (pytest.approx(4.0), pytest.approx(6.0))


def test_one_failure_and_its_end_are_no_flapping():
    detector, said = fed([True] * 10 + [False] * 5 + [True] * 10)
    assert not detector.raised
    assert set(said) == {Verdict.CLEARED}


def test_raised_and_cleared_with_a_gap_between():
    detector, said = fed([number % 2 == 0 for number in range(12)] + [True] * 21)
    assert Verdict.RAISED in said
    assert said[-1] is Verdict.CLEARED
    assert detector.percent == 0.0
    assert said.count(Verdict.RAISED) > 5
    raised = [word is Verdict.RAISED for word in said]
    assert sum(one != two for one, two in pairwise(raised)) == 2  # it does not flap itself


@given(st.lists(st.booleans(), max_size=200))
def test_its_share_is_one(states):
    detector, _ = fed(states)
    assert 0.0 <= detector.percent <= 100.0 + 1e-9
    assert detector.changes <= STATES - 1
    last = states[-STATES:]
    assert detector.changes == sum(one != two for one, two in pairwise(last))
