"""Maintenance windows by the wall clock of their zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from autonomyd.model.window import MaintenanceWindow
from autonomyd.plan.windows import next_begin, open_window

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600


def at(text, zone=UTC):
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def window(begin, end, *days, zone=UTC):
    wanted = frozenset(days) or frozenset(range(7))
    return MaintenanceWindow(begin_s=int(begin * HOUR), end_s=int(end * HOUR), days=wanted, zone=zone)


# 2026-11-21 is a Saturday (5)
@pytest.mark.parametrize(
    ("about", "now", "end"),
    [
        (window(2, 4), "2026-11-21T01:59:59", None),
        (window(2, 4), "2026-11-21T02:00:00", "2026-11-21T04:00:00"),
        (window(2, 4), "2026-11-21T03:59:59", "2026-11-21T04:00:00"),
        (window(2, 4), "2026-11-21T04:00:00", None),
        (window(22, 6), "2026-11-21T23:00:00", "2026-11-22T06:00:00"),
        (window(22, 6), "2026-11-21T05:00:00", "2026-11-21T06:00:00"),
        (window(22, 6), "2026-11-21T12:00:00", None),
        (window(22, 6, 5), "2026-11-22T05:00:00", "2026-11-22T06:00:00"),
        (window(22, 6, 5), "2026-11-21T05:00:00", None),
        (window(2, 4, 5), "2026-11-20T03:00:00", None),
        (window(0, 24), "2026-11-21T12:00:00", "2026-11-22T00:00:00"),
        (window(20, 24), "2026-11-21T23:59:59", "2026-11-22T00:00:00"),
        (window(0, 0, 5), "2026-11-21T12:00:00", "2026-11-22T00:00:00"),
        (window(0, 0, 5), "2026-11-22T00:00:00", None),
    ],
)
def test_when_a_window_is_open_and_until_when(about, now, end):
    found = open_window((about,), at(now))
    assert (found and found[1]) == (end and at(end))


def test_a_window_follows_its_own_zone():
    about = window(2, 4, zone=BERLIN)
    assert open_window((about,), at("2026-11-21T01:30:00")) == (about, at("2026-11-21T03:00:00"))
    assert open_window((about,), at("2026-07-21T01:30:00")) == (about, at("2026-07-21T02:00:00"))


def test_the_hour_that_summer_time_skips_shortens_it():
    about = window(1, 4, zone=BERLIN)
    found = open_window((about,), at("2026-03-29T01:30:00", BERLIN))
    assert found == (about, at("2026-03-29T02:00:00"))


def test_of_several_the_one_that_ends_last_counts():
    longer = window(1, 6)
    assert open_window((window(2, 4), longer), at("2026-11-21T03:00:00")) == (longer, at("2026-11-21T06:00:00"))
    assert open_window((), at("2026-11-21T03:00:00")) is None


def test_without_a_zone_it_is_the_machine_s_own():
    moment = datetime(2026, 11, 21, 3, 0, 0)  # noqa: DTZ001 - local on purpose
    found = open_window((window(2, 4, zone=None),), moment.timestamp())
    assert found is not None
    assert found[1] == moment.replace(hour=4).timestamp()


def test_when_the_next_window_begins():
    night, sunday = window(2, 4, zone=BERLIN), window(0, 1, 6, zone=BERLIN)
    now = at("2025-03-03 12:00", BERLIN)  # a Monday
    assert next_begin((), now) is None
    assert next_begin((night,), now) == at("2025-03-04 02:00", BERLIN)
    assert next_begin((sunday,), now) == at("2025-03-09 00:00", BERLIN)
    assert next_begin((night, sunday), now) == at("2025-03-04 02:00", BERLIN)
    assert next_begin((night,), at("2025-03-04 03:00", BERLIN)) == at("2025-03-05 02:00", BERLIN)
