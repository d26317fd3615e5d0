"""Points merge, thin out and expand without telling anything that was not so."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.model.rollup import Point, coverage_s, expanded, merged, sample, thinned

VALUE = st.floats(-1e6, 1e6)


@st.composite
def points(draw: st.DrawFn) -> Point:
    values = draw(st.lists(VALUE, min_size=1, max_size=20))
    mean = min(max(values), max(min(values), math.fsum(values) / len(values)))
    return Point(600.0, 60.0, len(values), min(values), max(values), mean, values[-1])


@given(points())
def test_what_a_point_expands_to_could_have_made_it(point: Point) -> None:
    samples = list(expanded(point))
    values = [value for _, value in samples]
    assert len(samples) == point.samples
    assert values[-1] == point.last
    assert min(values) >= point.low
    assert max(values) <= point.high
    assert [at for at, _ in samples] == sorted(at for at, _ in samples)
    assert samples[-1][0] == pytest.approx(point.until)
    if point.samples >= 4:
        assert (min(values), max(values)) == (point.low, point.high)


def test_the_mean_of_what_it_expands_to_is_the_same() -> None:
    point = Point(0.0, 60.0, 6, 10.0, 90.0, 40.0, 30.0)
    values = [value for _, value in expanded(point)]
    assert sum(values) / 6 == pytest.approx(40.0)
    assert values[-3:] == [10.0, 90.0, 30.0]


def test_merged_points_keep_samples_and_extremes() -> None:
    parts = [Point(0.0, 60.0, 1, 1.0, 1.0, 1.0, 1.0), Point(60.0, 60.0, 3, 2.0, 8.0, 5.0, 4.0), sample(125.0, 0.0)]
    assert merged(parts) == Point(0.0, 125.0, 5, 0.0, 8.0, 16.0 / 5, 0.0)
    assert coverage_s(parts) == 120.0


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=200, unique=True), st.integers(1, 50))
def test_thinned_points_are_few_and_tell_the_same(ats: list[int], most: int) -> None:
    before = [sample(float(at), float(at % 97)) for at in sorted(ats)]
    after = thinned(before, most)
    assert len(after) <= max(most, 1) or len(after) == len(before) <= most
    assert sum(each.samples for each in after) == len(before)
    assert min(each.low for each in after) == min(each.low for each in before)
    assert max(each.high for each in after) == max(each.high for each in before)
    assert all(left.until <= right.at for left, right in pairwise(after))


def test_points_of_one_moment_are_one() -> None:
    assert len(thinned([sample(5.0, 1.0)] * 9, 4)) <= 4
