"""How far a series moved: on its own scale, whatever comes in."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.analyze.root_cause.moves import Move, move_of, spans_of

ANY = st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60)


def moved(before: list[float], during: list[float], **more: float) -> Move:
    spans = spans_of(before, during)
    assert spans is not None
    move = move_of(spans, **more)
    assert move is not None
    return move


def test_a_shift_is_measured_in_spreads_and_in_shares_of_the_level() -> None:
    before = [100.0 + (at % 5) for at in range(60)]
    move = moved(before, [value + 50.0 for value in before])
    assert move.by == pytest.approx(50.0, rel=0.05)
    assert move.share == pytest.approx(0.5, rel=0.05)
    assert move.up > 15.0
    assert move.down == 0.0
    assert move.lasting == 1.0


def test_a_series_with_spikes_has_not_moved_because_of_one_more() -> None:
    before = [1000.0 if at % 20 == 0 else 10.0 + at % 3 for at in range(200)]
    during = [1000.0 if at % 18 == 0 else 10.0 + at % 3 for at in range(200)]
    assert moved(before, during).up < 30.0
    assert moved(before, during).lasting < 0.2


def test_a_nearly_constant_series_is_not_far_away_for_a_trifle() -> None:
    assert moved([100.0] * 60, [100.5] * 60).up < 1.0


@pytest.mark.parametrize("by", [1.0, 1e-9, 1e9])
def test_the_unit_does_not_matter(by: float) -> None:
    before = [by * (10 + at % 7) for at in range(60)]
    during = [by * (20 + at % 7) for at in range(60)]
    assert moved(before, during).up == pytest.approx(
        moved([10.0 + at % 7 for at in range(60)], during=[20.0 + at % 7 for at in range(60)]).up
    )


def test_what_was_zero_everywhere_is_news_and_a_burst_is_less() -> None:
    sustained = moved([0.0] * 60, [5.0] * 60)
    burst = moved([0.0] * 60, [5.0] * 3 + [0.0] * 57)
    assert sustained.share == math.inf
    assert sustained.up == pytest.approx(10.0)
    assert burst.lasting < sustained.lasting


def test_what_is_next_to_nothing_beside_its_like_is_taken_for_nothing() -> None:
    alone = moved([0.0] * 60, [1.0] * 60)
    beside = moved([0.0] * 60, [1.0] * 60, usual=1e6, spreads=1e4)
    assert beside.up < 0.1 < alone.up


def test_gaps_are_left_out() -> None:
    before = [math.nan, 10.0, 11.0, math.inf, 12.0, 10.0, -math.inf]
    assert moved(before, [math.nan, 30.0]).before == pytest.approx(10.5)


@pytest.mark.parametrize(
    ("before", "during"), [([], [1.0]), ([1.0, 2.0], [1.0]), ([1.0] * 9, []), ([math.nan] * 9, [1.0])]
)
def test_too_little_says_nothing(before: list[float], during: list[float]) -> None:
    assert spans_of(before, during) is None


def test_a_counter_is_taken_as_its_increments_through_a_reset() -> None:
    before = [float(7 * at) for at in range(100)]
    steady = [700.0 + 7 * at for at in range(50)] + [7.0 * at for at in range(50)]
    faster = [700.0 + 70 * at for at in range(100)]
    assert moved(before, steady).up == 0.0
    assert moved(before, faster).share == pytest.approx(9.0)


def test_successes_are_held_against_what_fails_of_them() -> None:
    spans = spans_of([99.9, 100.0, 99.8, 99.9] * 10, [93.0] * 10, successes=True)
    assert spans is not None
    move = move_of(spans)
    assert move is not None
    assert move.share < -10.0


@given(before=ANY, during=ANY, usual=st.floats(min_value=0, max_value=1e300), successes=st.booleans())
def test_whatever_comes_in_no_exception_and_finite_figures(
    before: list[float], during: list[float], usual: float, *, successes: bool
) -> None:
    spans = spans_of(before, during, successes=successes)
    move = None if spans is None else move_of(spans, usual=usual, spreads=usual)
    if move is not None:
        assert move.up >= 0.0
        assert move.down >= 0.0
        assert not math.isnan(move.share)
        assert math.isfinite(move.up + move.down)
