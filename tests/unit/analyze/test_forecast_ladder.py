"""The sketch: bounded at any age, true to the series, and unimpressed by bad samples."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.analyze.forecast.ladder import DAY_S, FORTH_S, SHAPE, Ladder

AT = 1.7e9 - 1.7e9 % DAY_S
POINTS = sum(size for _, size in SHAPE)


def fed(values, every_s=10.0):
    ladder = Ladder()
    for index, value in enumerate(values):
        ladder.add(AT + index * every_s, value)
    return ladder


def test_each_rung_holds_the_means_of_its_buckets():
    ladder = fed(float(index) for index in range(361))
    seconds, minutes, tens = ladder.rungs[:3]
    assert list(seconds.values) == [float(index) for index in range(348, 360)]
    assert minutes.values[-1] == pytest.approx(sum(range(348, 354)) / 6)
    assert list(tens.values) == pytest.approx([29.5 + 60 * index for index in range(5)])


def test_it_stays_small_for_ever():
    ladder = fed((float(index % 97) for index in range(3000)), every_s=7200.0)
    assert sum(len(rung.values) for rung in ladder.rungs) <= POINTS <= 100
    assert len(ladder.rungs[-1].values) == SHAPE[-1][1]


def test_a_short_hole_is_bridged_and_a_long_one_begins_anew():
    ladder = Ladder()
    for index in range(12):
        ladder.add(AT + index * 10.0, float(index))
    ladder.add(AT + 150.0, 15.0)
    ladder.add(AT + 160.0, 16.0)
    assert list(ladder.rungs[0].values)[-5:] == pytest.approx([11.0, 12.0, 13.0, 14.0, 15.0])
    ladder.add(AT + 1000.0, 5.0)
    ladder.add(AT + 1010.0, 5.0)
    assert list(ladder.rungs[0].values) == [5.0]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_what_is_no_figure_is_counted_and_left_out(value):
    ladder = fed([1.0, 2.0])
    assert not ladder.add(AT + 20.0, value)
    assert ladder.skipped == 1
    assert ladder.at == AT + 10.0


def test_repeated_and_reversed_times_are_counted_and_left_out():
    ladder = fed([1.0, 2.0, 3.0])
    assert not ladder.add(AT + 20.0, 4.0)
    assert not ladder.add(AT - 30.0, 4.0)
    assert ladder.skipped == 2


@pytest.mark.parametrize("jump_s", [-2 * DAY_S, 2 * FORTH_S])
def test_a_clock_that_was_set_begins_anew_and_goes_on(jump_s):
    ladder = fed([1.0] * 20)
    assert ladder.add(AT + jump_s, 2.0)
    assert ladder.add(AT + jump_s + 10.0, 3.0)
    assert list(ladder.rungs[0].values) == [2.0]


@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=60))
def test_no_samples_break_it(samples):
    ladder = Ladder()
    for at, value in samples:
        ladder.add(at, value)
    assert all(math.isfinite(value) for rung in ladder.rungs for value in rung.values)
    assert all(len(rung.values) <= rung.size for rung in ladder.rungs)
