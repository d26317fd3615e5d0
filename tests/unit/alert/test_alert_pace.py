"""Quiet hours, storms, and times of day."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.alert.pace import batch, next_time_of_day, quiet_left_s


@pytest.fixture
def _vienna(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Vienna")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def at(text: str) -> float:
    return time.mktime(time.strptime(text, "%Y-%m-%d %H:%M"))


@pytest.mark.usefixtures("_vienna")
@pytest.mark.parametrize(
    ("now", "hours", "left_h"),
    [
        ("2026-01-10 21:59", "22:00-07:00", 0.0),
        ("2026-01-10 22:00", "22:00-07:00", 9.0),
        ("2026-01-11 06:30", "22:00-07:00", 0.5),
        ("2026-01-11 07:00", "22:00-07:00", 0.0),
        ("2026-01-11 13:00", "12:30-14:00", 1.0),
        ("2026-01-11 12:00", "12:30-14:00", 0.0),
        ("2026-01-11 12:00", "", 0.0),
    ],
)
def test_quiet_hours(now: str, hours: str, left_h: float) -> None:
    assert quiet_left_s(hours, at(now)) == left_h * 3600.0


@pytest.mark.usefixtures("_vienna")
def test_the_next_time_of_day_across_the_changes_of_the_clock() -> None:
    assert next_time_of_day("07:00", at("2026-01-10 06:59")) == at("2026-01-10 07:00")
    assert next_time_of_day("07:00", at("2026-01-10 07:00")) == at("2026-01-11 07:00")
    assert next_time_of_day("07:00", at("2026-03-28 07:00")) == at("2026-03-29 07:00")  # a day of 23 hours
    assert next_time_of_day("02:30", at("2026-03-29 00:00")) > at("2026-03-29 00:00")  # there is no 02:30 then


@given(
    waiting=st.integers(0, 500),
    sent=st.lists(st.floats(0.0, 100.0), max_size=30),
    per_minute=st.integers(1, 20),
)
def test_never_more_than_so_many_a_minute(waiting: int, sent: list[float], per_minute: int) -> None:
    now = 100.0
    count, wait_s = batch(waiting, sent, now=now, per_minute=per_minute)
    recent = sum(now - each < 60.0 for each in sent)
    assert 0 <= count <= waiting
    if waiting and recent >= per_minute:
        assert count == 0
        assert 0 < wait_s <= 60.0
    elif waiting:
        assert count == (waiting if recent == per_minute - 1 else 1)


def test_a_storm_of_a_thousand_is_ten_messages() -> None:
    waiting, sent, now = 1000, [], 0.0
    while waiting:
        count, wait_s = batch(waiting, sent, now=now, per_minute=10)
        assert (count, wait_s) != (0, 0.0)
        now += wait_s
        if count:
            sent.append(now)
        waiting -= count
    assert (len(sent), now) == (10, 0.0)
