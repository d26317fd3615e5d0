"""The threshold detector: hysteresis, duration, N in a row, X within Y; what is not a number changes nothing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.analyze.detectors.threshold import ThresholdDetector, ThresholdRule
from autonomyd.analyze.verdict import Verdict

RAISED, CLEARED, PENDING, SILENT = Verdict.RAISED, Verdict.CLEARED, Verdict.PENDING, Verdict.SILENT


def verdicts(rule, values, every_s=10.0):
    detector = ThresholdDetector(rule)
    return [detector.observe(number * every_s, value) for number, value in enumerate(values)]


def rule(**more):
    return ThresholdRule(**{"enter": 80.0, "clear": 70.0} | more)


@pytest.mark.parametrize(
    ("made", "values", "said"),
    [
        (rule(), [50, 80, 81], [CLEARED, PENDING, RAISED]),
        (rule(), [81, 75, 71, 70], [RAISED, RAISED, RAISED, CLEARED]),
        (rule(), [81, 70, 75, 81], [RAISED, CLEARED, PENDING, RAISED]),
        (rule(consecutive=3), [81, 81, 81], [PENDING, PENDING, RAISED]),
        (rule(consecutive=3), [81, 81, 50, 81, 81, 81], [PENDING, PENDING, CLEARED, PENDING, PENDING, RAISED]),
        (rule(for_s=20.0), [81, 81, 81], [PENDING, PENDING, RAISED]),
        (rule(for_s=20.0), [81, 50, 81, 81, 81], [PENDING, CLEARED, PENDING, PENDING, RAISED]),
        (rule(for_s=10.0, consecutive=3), [81, 81, 81], [PENDING, PENDING, RAISED]),
        (rule(clear_for_s=20.0), [81, 60, 60, 60], [RAISED, RAISED, RAISED, CLEARED]),
        (rule(clear_for_s=20.0), [81, 60, 75, 60, 60, 60], [RAISED] * 5 + [CLEARED]),
        (rule(consecutive=2, within=3), [81, 50, 81], [PENDING, PENDING, RAISED]),
        (rule(consecutive=2, within=3), [81, 50, 50, 81], [PENDING, PENDING, PENDING, PENDING]),
        (rule(consecutive=2, within=3), [81, 50, 50, 50], [PENDING, PENDING, PENDING, CLEARED]),
        (rule(enter=99.0, clear=99.5, above=False), [100, 98.9, 99.2, 99.5], [CLEARED, RAISED, RAISED, CLEARED]),
    ],
)
def test_what_it_says(made, values, said):
    assert verdicts(made, values) == said


def test_a_new_detector_between_the_levels_does_not_say_that_all_is_well():
    """An issue that an earlier run of the daemon raised may still stand."""
    assert verdicts(rule(), [75]) == [PENDING]


@pytest.mark.parametrize("nothing", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_changes_nothing(nothing):
    assert verdicts(rule(consecutive=2), [81, nothing, 81]) == [PENDING, SILENT, RAISED]
    assert verdicts(rule(), [81, nothing, 75]) == [RAISED, SILENT, RAISED]
    assert verdicts(rule(), [nothing]) == [SILENT]


def test_duration_counts_time_not_samples():
    assert verdicts(rule(for_s=60.0), [81] * 6, every_s=10.0)[-1] is PENDING
    assert verdicts(rule(for_s=60.0), [81] * 7, every_s=10.0)[-1] is RAISED
    assert verdicts(rule(for_s=60.0), [81, 81], every_s=60.0)[-1] is RAISED


VALUES = st.one_of(
    st.sampled_from([69.0, 70.0, 70.1, 75.0, 79.9, 80.0, 80.1, 100.0, math.nan, math.inf]), st.floats(0, 150)
)
RULES = st.builds(
    ThresholdRule,
    enter=st.just(80.0),
    clear=st.just(70.0),
    for_s=st.sampled_from([0.0, 1.0, 25.0]),
    clear_for_s=st.sampled_from([0.0, 15.0]),
    consecutive=st.integers(1, 4),
    within=st.sampled_from([0, 4, 6]),
)


@given(made=RULES, steps=st.lists(st.tuples(st.floats(0.1, 30.0), VALUES), max_size=60))
def test_it_is_never_raised_without_a_sample_beyond_and_never_cleared_without_one_that_is_back(made, steps):
    detector, at, raised, beyond_since_clear, back_since_raised = ThresholdDetector(made), 0.0, False, 0, False
    for step_s, value in steps:
        at += step_s
        known = math.isfinite(value)
        beyond_since_clear += known and made.beyond(value)
        back_since_raised = back_since_raised or (known and made.back(value))
        verdict = detector.observe(at, value)
        assert (verdict is SILENT) is not known
        if detector.raised and not raised:
            assert beyond_since_clear >= made.consecutive
            assert made.beyond(value) or made.within
            back_since_raised = False
        if raised and not detector.raised:
            assert back_since_raised
            assert made.back(value)
            beyond_since_clear = 0
        if verdict is CLEARED:
            assert made.back(value)
        if verdict is RAISED:
            assert detector.raised
        raised = detector.raised


@given(values=st.lists(VALUES, max_size=40))
def test_low_is_bad_is_the_mirror_of_high_is_bad(values):
    mirrored = verdicts(ThresholdRule(enter=-80.0, clear=-70.0, above=False), [-value for value in values])
    assert mirrored == verdicts(rule(), values)
