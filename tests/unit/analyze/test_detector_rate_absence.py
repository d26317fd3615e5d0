"""How far a series moves within a time, and series that stop coming."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.analyze.detectors.absence import LEARNED_FROM, AbsenceDetector
from autonomyd.analyze.detectors.rate_of_change import RateDetector
from autonomyd.analyze.verdict import Verdict


def fed(detector, values, *, step_s=10.0, at=0.0):
    return [detector.observe(at + number * step_s, value) for number, value in enumerate(values)]


def test_a_queue_that_grows_too_fast():
    detector = RateDetector(100.0, within_s=300.0)
    said = fed(detector, [5 * number for number in range(60)])
    assert said[10] is Verdict.CLEARED
    assert said[25] is Verdict.RAISED
    assert detector.moved >= 100


def test_the_same_growth_over_a_longer_time_is_none():
    said = fed(RateDetector(100.0, within_s=300.0), [2 * number for number in range(400)])
    assert Verdict.RAISED not in said


def test_a_fall_and_its_end():
    detector = RateDetector(-50.0, within_s=60.0)
    said = fed(detector, [100.0] * 10 + [40.0] * 20)
    assert said[10] is Verdict.RAISED
    assert said[-1] is Verdict.CLEARED
    assert Verdict.RAISED not in fed(RateDetector(-50.0, within_s=60.0), [0.0] * 10 + [100.0] * 10)


def test_what_is_not_known_changes_nothing():
    detector = RateDetector(10.0, within_s=60.0)
    assert fed(detector, [math.nan, math.inf]) == [Verdict.SILENT, Verdict.SILENT]
    assert detector.observe(50.0, 1.0) is Verdict.CLEARED
    assert detector.observe(40.0, 99.0) is Verdict.SILENT  # a time that was before


@given(st.lists(st.tuples(st.floats(allow_nan=True), st.floats(allow_nan=True)), max_size=100))
def test_hostile_rows_raise_nothing(rows):
    detector = RateDetector(10.0, within_s=60.0)
    for at, value in rows:
        detector.observe(at, value)


def test_a_configured_silence():
    detector = AbsenceDetector(120.0, at=0.0)
    detector.heard(10.0)
    assert detector.silence(130.0) is None
    found = detector.silence(131.0)
    assert (found.for_s, found.bound_s, found.learned) == (121.0, 120.0, False)
    detector.heard(140.0)
    assert detector.silence(141.0) is None


def test_a_silence_that_is_excused_counts_for_nothing():
    detector = AbsenceDetector(120.0, at=0.0)
    detector.excused(1000.0)
    assert detector.silence(1100.0) is None
    assert detector.silence(1121.0) is not None


def test_its_own_rhythm_is_learned():
    detector = AbsenceDetector(None, at=0.0)
    for number in range(LEARNED_FROM):
        assert detector.silence(number * 30.0 + 1e6) is None
        detector.heard(number * 30.0)
    last = (LEARNED_FROM - 1) * 30.0
    assert detector.silence(last + 300.0) is None
    found = detector.silence(last + 301.0)
    assert found.learned
    assert found.usual_s == pytest.approx(30.0)


def test_what_comes_as_it_likes_has_no_rhythm_to_lose():
    detector = AbsenceDetector(None, at=0.0)
    at = 0.0
    for number in range(200):
        at += 1.0 if number % 5 else 500.0
        detector.heard(at)
    assert detector.silence(at + 1e6) is None


@given(st.lists(st.floats(allow_nan=True), max_size=100), st.floats(allow_nan=True))
def test_hostile_times_raise_nothing(times, now):
    detector = AbsenceDetector(None, at=0.0)
    for at in times:
        detector.heard(at)
    detector.silence(now)
