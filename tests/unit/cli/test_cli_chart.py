"""The text chart: round axes, every value on it, holes as holes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.cli.chart import draw, scale

FINITE = st.floats(min_value=-1e12, max_value=1e12, allow_nan=False).map(lambda value: round(value, 3))


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [([23.0, 61.0], 0.0, 80.0), ([950.0, 990.0], 950.0, 990.0), ([0.0, 0.0], 0.0, 1.0), ([-3.0, 5.0], -4.0, 6.0)],
)
def test_the_axis_has_round_ends(values: list[float], low: float, high: float) -> None:
    assert scale(values)[:2] == pytest.approx((low, high))


def test_a_share_of_a_hundred_never_shows_more() -> None:
    assert scale([3.0, 97.0], percent=True)[1] == 100.0


@given(st.lists(FINITE, min_size=1, max_size=50))
def test_every_value_is_on_the_axis(values: list[float]) -> None:
    low, high, step = scale(values)
    room = 1e-6 * max(abs(low), abs(high), 1.0)
    assert low - room <= min(values) <= max(values) <= high + room
    assert step > 0


@given(
    st.lists(st.tuples(st.floats(0, 1e6), FINITE), min_size=1, max_size=60),
    st.integers(20, 100),
    st.integers(4, 20),
    st.booleans(),
)
def test_any_series_can_be_drawn(points: list[tuple[float, float]], width: int, height: int, braille: bool) -> None:
    chart = draw(sorted(points), width=width, height=height, unit="", braille=braille)
    assert len(chart.rows) == height
    assert all(len(cells) == width for _, cells in chart.rows)
    assert any(cells.strip() for _, cells in chart.rows)
    assert all(len(label) <= chart.margin - 2 for label, _ in chart.rows)


def test_a_line_rises_from_corner_to_corner() -> None:
    chart = draw([(float(at), float(at)) for at in range(11)], width=11, height=6, unit="", braille=False)
    assert chart.rows[0][1].endswith("*")
    assert chart.rows[-1][1].startswith("*")
    assert [label for label, _ in chart.rows if label] == ["10", "7.5", "5", "2.5", "0"]


def test_a_hole_in_the_samples_stays_a_hole() -> None:
    points = [(float(at), 1.0) for at in (*range(10), *range(50, 60))]
    row = next(cells for _, cells in draw(points, width=60, height=4, unit="", braille=False).rows if "*" in cells)
    assert "    " * 8 in row
