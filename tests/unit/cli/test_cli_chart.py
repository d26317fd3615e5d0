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


def test_no_two_labels_read_the_same() -> None:
    for values in ([99.93, 100.0], [1e5, 1e5 + 1], [-5.001, -5.0], [23.0, 61.0]):
        points = [(float(at), value) for at, value in enumerate(values)]
        labels = [label for label, _ in draw(points, width=20, height=10, unit="%", braille=False).rows if label]
        assert len(set(labels)) == len(labels)


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


def test_a_band_is_drawn_behind_the_line_and_widens_the_axis() -> None:
    points = [(float(at), 50.0) for at in range(40)]
    chart = draw(points, width=40, height=10, unit="%", braille=False, band=[(10.0, 95.0)] * 40)
    assert next(label for label, _ in chart.rows if label) == "100 %"
    rows = dict(enumerate(cells for _, cells in chart.rows))
    assert "*" * 40 in rows.values(), "the line is whole"
    dotted = {index for index, cells in rows.items() if "." in cells}
    assert len(dotted) >= 6
    assert all(rows[index][column] == "." for index in dotted for column in chart.faint[index])
    bare = draw(points, width=40, height=10, unit="%", braille=False, band=[(50.0, 50.0)] * 40)
    assert not any(bare.faint)


@pytest.mark.parametrize("values", [(0.0, 5e-324), (-1.7e308, 1.7e308), (1.7e308, 1.7e308), (-5e-324, -5e-324)])
def test_the_smallest_and_the_largest_values_can_be_drawn(values: tuple[float, float]) -> None:
    chart = draw(list(enumerate(values)), width=20, height=6, unit="", braille=False, band=[values] * 2)
    assert any("*" in cells for _, cells in chart.rows)


@given(
    st.lists(st.tuples(st.floats(0, 1e6), FINITE, st.floats(0, 1e6), st.floats(0, 1e6)), min_size=1, max_size=60),
    st.booleans(),
)
def test_any_band_can_be_drawn(points: list[tuple[float, float, float, float]], braille: bool) -> None:
    points.sort()
    line = [(at, value) for at, value, _, _ in points]
    band = [(value - below, value + above) for _, value, below, above in points]
    chart = draw(line, width=30, height=8, unit="", braille=braille, band=band)
    assert all(len(cells) == 30 for _, cells in chart.rows)
    assert len(chart.faint) == 8
