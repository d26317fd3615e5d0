"""Failures in a row: what counts, what does not, and how available the subject was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.analyze.detectors.streak import HISTORY, StreakDetector
from autonomyd.analyze.verdict import Verdict
from autonomyd.model.reading import ReadingState

OK, FAILED, UNKNOWN = ReadingState.OK, ReadingState.FAILED, ReadingState.UNKNOWN
STATES = st.sampled_from([OK, FAILED, UNKNOWN])


def fed(detector, states):
    return [detector.observe(float(at), state) for at, state in enumerate(states)]


@pytest.mark.parametrize(
    ("states", "raised"),
    [
        ([FAILED], False),
        ([FAILED, FAILED], True),
        ([FAILED, OK, FAILED], False),
        ([FAILED, UNKNOWN, FAILED], True),
        ([UNKNOWN] * 10, False),
        ([FAILED, FAILED, UNKNOWN, UNKNOWN], True),
        ([FAILED, FAILED, OK], False),
    ],
)
def test_two_in_a_row_raise_one_good_clears_and_unknown_does_neither(states, raised):
    detector = StreakDetector(2)
    fed(detector, states)
    assert detector.raised is raised


def test_its_words():
    said = fed(StreakDetector(2), [OK, FAILED, UNKNOWN, FAILED, OK])
    assert said == [Verdict.CLEARED, Verdict.PENDING, Verdict.SILENT, Verdict.RAISED, Verdict.CLEARED]


def test_since_is_the_time_of_the_first_failure():
    detector = StreakDetector(2)
    fed(detector, [OK, FAILED, UNKNOWN, FAILED, FAILED])
    assert detector.since == 1.0


def test_several_passes_can_be_asked_for():
    detector = StreakDetector(1, passes=2)
    fed(detector, [FAILED, OK])
    assert detector.raised
    fed(detector, [OK])
    assert not detector.raised


def test_a_reset_forgets_the_streak_and_keeps_the_availability():
    detector = StreakDetector(2)
    fed(detector, [OK, OK, FAILED, FAILED])
    detector.reset()
    assert (detector.raised, detector.failures, detector.since) == (False, 0, None)
    assert detector.availability_percent == 50.0


def test_availability_is_unknown_before_the_first_known_reading():
    detector = StreakDetector(2)
    fed(detector, [UNKNOWN] * 3)
    assert detector.availability_percent is None


@given(states=st.lists(STATES, max_size=250))
def test_availability_is_the_share_of_good_ones_among_the_last_known(states):
    detector = StreakDetector(2)
    fed(detector, states)
    known = [state for state in states if state is not UNKNOWN][-HISTORY:]
    expected = 100.0 * known.count(OK) / len(known) if known else None
    assert detector.availability_percent == expected


@given(states=st.lists(STATES, max_size=60), failures=st.integers(1, 5))
def test_it_is_raised_exactly_after_so_many_known_failures_in_a_row(states, failures):
    detector, row, expected = StreakDetector(failures), 0, False
    for at, state in enumerate(states):
        detector.observe(float(at), state)
        if state is not UNKNOWN:
            row = row + 1 if state is FAILED else 0
            expected = row >= failures
        assert detector.raised is expected


def test_quick_looks_do_not_make_a_hiccup_a_fault():
    detector = StreakDetector(2, span_s=1.0)
    for tenth in range(10):
        detector.observe(tenth / 10, FAILED)
    assert not detector.raised
    detector.observe(1.0, FAILED)
    assert detector.raised
    assert detector.failing_for_s == 1.0


def test_a_look_that_took_long_counts_from_its_begin():
    detector = StreakDetector(2, span_s=1.0)
    detector.observe(1.0, FAILED, took_s=1.0)
    detector.observe(1.3, FAILED, took_s=1.0)
    assert (detector.raised, detector.since) == (True, 0.0)
