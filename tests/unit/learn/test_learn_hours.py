"""Busy and quiet hours, learned from the machine's use."""

import json
import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from autonomyd.learn.hours import HOUR_S, Hours

MONDAY = datetime(2025, 3, 3, tzinfo=UTC).timestamp()
DAY_S = 86400.0


def office(days=14, *, zone=UTC, look_s=600.0):
    """A machine that is used from 8 to 18 on working days."""
    hours = Hours(zone)
    at = MONDAY
    while at < MONDAY + days * DAY_S:
        local = datetime.fromtimestamp(at, zone)
        hours.observe(at, 60.0 if 8 <= local.hour < 18 and local.weekday() < 5 else 4.0)
        at += look_s
    return hours


def of(day, hour):
    return MONDAY + day * DAY_S + hour * HOUR_S


def test_an_office_day():
    hours = office()
    assert hours.busy(of(14, 10.5)) is True
    assert hours.busy(of(14, 3.0)) is False
    assert hours.busy(of(19, 10.5)) is False, "on a Saturday nobody is there"
    assert hours.quiet_at(of(14, 10.5)) == of(14, 18)


def test_not_known_before_three_days():
    assert office(days=2).busy(of(14, 10.5)) is None
    assert Hours().quiet_at(MONDAY) is None


def test_a_machine_that_is_always_the_same_has_no_busy_hour():
    hours = Hours(UTC)
    for hour in range(24 * 10):
        hours.observe(MONDAY + hour * HOUR_S, 50.0)
    assert not any(hours.busy(of(14, hour)) for hour in range(24))


def test_a_new_habit_is_learned():
    hours = office()
    for hour in range(24 * 60):
        at = of(14, hour)
        night = datetime.fromtimestamp(at, UTC).hour < 6
        hours.observe(at, 60.0 if night else 4.0)
    assert hours.busy(of(77, 3)) is True
    assert hours.busy(of(77, 11)) is False


def test_the_hours_are_those_of_the_zone():
    hours = office(zone=ZoneInfo("Asia/Tokyo"))
    assert hours.busy(of(14, 1.5)) is True  # 10:30 there
    assert hours.busy(of(14, 10.5)) is False


def test_what_was_learned_survives():
    kept = json.loads(json.dumps(office().dump()))
    assert len(json.dumps(kept)) < 2048
    again = Hours(UTC)
    again.load(kept)
    assert again.busy(of(14, 10.5)) is True


@pytest.mark.parametrize(
    "kept", [None, [], {"x": [1, 2.0]}, {"3": 7}, {"3": [1]}, {"99": [5, 1.0]}, {"3": [5, math.nan]}]
)
def test_what_is_none_of_it_is_left_out(kept):
    hours = Hours(UTC)
    hours.load(kept)
    assert hours.busy(MONDAY) is None


@pytest.mark.parametrize("percent", [math.nan, math.inf, -1.0, 101.0])
def test_what_is_no_percentage_is_passed_over(percent):
    hours = office()
    before = hours.dump()
    hours.observe(of(14, 0), percent)
    assert hours.dump() == before
