"""The error budget: when it burns too fast, when that ends, and that unknown time counts for nothing."""

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.analyze.detectors.burn_rate import CARRY_S, RULES, BurnRate
from autonomyd.model.health import Severity

DAY_S = 86400.0


def lived(burn, *spans, at=1000.0, step_s=10.0):
    """Spans of (seconds, good); returns the time after them."""
    for seconds, good in spans:
        for _ in range(int(seconds / step_s)):
            burn.observe(at, good)
            at += step_s
    burn.observe(at, spans[-1][1])
    return at


def test_the_four_alerts_of_the_workbook():
    assert [(rule.long_s / rule.short_s, rule.factor) for rule in RULES] == [
        (12, 14.4),
        (12, 6.0),
        (12, 3.0),
        (12, 1.0),
    ]


def test_a_total_outage_is_told_within_nine_minutes_of_a_99_percent_objective():
    burn = BurnRate(99.0)
    at = lived(burn, (3600, True), (8 * 60, False))
    assert burn.burning(at) is None
    at = lived(burn, (60, False), at=at)
    found = burn.burning(at)
    assert found.rule is RULES[0]
    assert found.bad_s == pytest.approx(540, abs=20)
    assert found.rate == pytest.approx(15, abs=0.6)


def test_a_stricter_objective_is_faster():
    burn = BurnRate(99.9)
    assert burn.burning(lived(burn, (3600, True), (60, False))).rule is RULES[0]


def test_it_ends_soon_after_the_trouble_does():
    burn = BurnRate(99.0)
    at = lived(burn, (3600, True), (600, False))
    assert burn.burning(at) is not None
    assert burn.burning(lived(burn, (360, True), at=at)) is None


def test_a_slow_burn_is_a_notice():
    burn = BurnRate(99.0)
    at = 1000.0
    for _ in range(24):
        at = lived(burn, (3450, True), (150, False), at=at)
    found = burn.burning(at)
    assert found.rule.severity is Severity.NOTICE
    assert found.rate == pytest.approx(4.2, abs=0.3)


def test_a_restart_of_seconds_burns_nothing_worth_telling():
    burn = BurnRate(99.0)
    assert burn.burning(lived(burn, (10, True), (20, False), (600, True))) is None


def test_unknown_time_is_not_held_against_it():
    burn = BurnRate(99.0)
    at = lived(burn, (3600, True), (7200, None))
    assert burn.burning(at) is None
    assert burn.availability(at) == (100.0, pytest.approx(3600, abs=1))


def test_a_silence_is_unknown_time():
    burn = BurnRate(99.0)
    burn.observe(0.0, False)
    burn.observe(DAY_S / 2, True)
    assert burn.availability(DAY_S / 2) == (0.0, CARRY_S)


def test_availability_over_the_last_day():
    burn = BurnRate(99.0)
    assert burn.availability(0.0) is None
    at = lived(burn, (9000, True), (1000, False))
    assert burn.availability(at) == (pytest.approx(90.0, abs=0.1), pytest.approx(10_000, abs=1))
    at = lived(burn, (2 * DAY_S, True), at=at, step_s=100.0)
    assert burn.availability(at)[0] == 100.0


def test_another_objective_judges_what_was_seen():
    burn = BurnRate(90.0)
    at = lived(burn, (3600, True), (900, False))
    assert burn.burning(at) is None
    burn.aim(99.0)
    assert burn.burning(at) is not None
    burn.aim(100.0)
    assert burn.burning(at) is not None


@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=True, allow_infinity=False, min_value=None), st.sampled_from([True, False, None])
        ),
        max_size=80,
    )
)
def test_hostile_times_raise_nothing(rows):
    burn = BurnRate(99.0)
    for at, good in rows:
        burn.observe(at, good)
    share = burn.availability(max((at for at, _ in rows if math.isfinite(at)), default=0.0))
    assert share is None or 0.0 <= share[0] <= 100.0


def test_memory_is_small():
    burn = BurnRate(99.0)
    lived(burn, (4 * DAY_S, True), step_s=100.0)
    parts = [getattr(buckets, name) for buckets in (burn._fine, burn._coarse) for name in ("_bad", "_known")]
    assert sum(map(sys.getsizeof, parts)) < 2500
