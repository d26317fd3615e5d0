"""Columns come back as they were, and what is no columns is refused and never more."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.knowledge.columns import Columns, unpacked
from autonomyd.knowledge.rollups import Row, rows_of, slice_of

SINGLE = st.floats(width=32, allow_nan=False, allow_infinity=False)
POINT = st.tuples(st.integers(1, 65535), SINGLE, SINGLE, SINGLE, SINGLE)


@given(st.dictionaries(st.integers(0, 59), POINT, max_size=60))
def test_what_is_packed_comes_back(points: dict[int, tuple[int, float, float, float, float]]) -> None:
    columns = Columns(60)
    for slot, values in points.items():
        columns.add(slot, values)
    assert list(unpacked(columns.packed()).rows()) == [(slot, *points[slot]) for slot in sorted(points)]


def test_a_still_series_costs_next_to_nothing() -> None:
    still, lively = Columns(60), Columns(60)
    for slot in range(60):
        still.add(slot, (6, 23.456, 23.456, 23.456, 23.456))
        lively.add(slot, (6, math.sin(slot), math.e * slot, math.pi * slot, math.sqrt(slot)))
    assert len(still.packed()) < 40
    assert len(lively.packed()) < 60 * 18


def test_what_comes_twice_is_merged() -> None:
    columns = Columns(2)
    columns.add(1, (2, 1.0, 3.0, 2.0, 3.0))
    columns.add(1, (6, 0.0, 8.0, 4.0, 7.0))
    assert list(columns.rows()) == [(1, 8, 0.0, 8.0, 3.5, 7.0)]
    assert columns.whole() == (8, 0.0, 8.0, 3.5, 7.0)
    assert Columns(3).whole() is None


def test_a_count_has_its_end_and_not_the_mean() -> None:
    columns = Columns(1)
    for _ in range(3):
        columns.add(0, (60_000, 1.0, 1.0, 1.0, 1.0))
    assert columns.whole() == (65535, 1.0, 1.0, 1.0, 1.0)


@given(st.binary(max_size=200))
def test_garbage_is_refused(body: bytes) -> None:
    for read in (unpacked, rows_of):
        with pytest.raises(ValueError, match=r"^no "):
            read(body)  # type: ignore[operator]


@given(st.integers(0, 200), st.integers(0, 255))
def test_damage_is_refused_or_harmless(place: int, byte: int) -> None:
    body = bytearray(slice_of([Row("a/b", "%", 6, 1.0, 2.0, 1.5, 1.0), Row("ä\x00/c", "", 1, 0.0, 0.0, 0.0, 0.0)]))
    body[place % len(body)] = byte
    try:
        rows = rows_of(bytes(body))
    except ValueError:
        return
    assert len(rows) <= 2


def test_a_bomb_is_not_unpacked() -> None:
    import zlib

    bomb = b"\x01\x3c\x00" + zlib.compress(bytes(50_000_000))
    with pytest.raises(ValueError, match="no columns"):
        unpacked(bomb)
