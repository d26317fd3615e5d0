"""The forecast of one series: right intervals, a tested record, season, fresh ground, and what it keeps."""

import json
import math
import random
import sys
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autonomyd.analyze.forecast.ladder import DAY_S, HOUR_S
from autonomyd.analyze.forecast.series import SeriesForecast

AT = 1.7e9 - 1.7e9 % DAY_S


def fed(value_of, *, hours, every_s=60.0, series=None, begin=AT):
    series = series or SeriesForecast()
    for index in range(int(hours * HOUR_S / every_s)):
        series.add(begin + index * every_s, value_of(index * every_s / HOUR_S))
        series.turn()
    return series


def test_a_ramp_is_foretold():
    rng = random.Random(1)
    series = fed(lambda hours: 20.0 + 2.0 * hours + rng.gauss(0.0, 0.2), hours=24)
    seen = series.outlook(100.0)
    assert seen.left_s == pytest.approx(16 * HOUR_S, rel=0.05)
    assert seen.soonest_s < seen.left_s < seen.latest_s < 20 * HOUR_S
    assert seen.per_s * HOUR_S == pytest.approx(2.0, rel=0.05)
    assert seen.fresh
    assert seen.backtest.cases >= 20
    assert seen.backtest.share > 0.5


@pytest.mark.parametrize(
    "value_of",
    [lambda hours: 50.0, lambda hours: 50.0 - hours, lambda hours: 20.0 + 0.001 * hours],
    ids=["constant", "falling", "too slow to tell"],
)
def test_what_leads_nowhere_is_not_foretold(value_of):
    assert fed(value_of, hours=12).outlook(100.0) is None


def test_before_enough_is_known_nothing_is_said():
    assert SeriesForecast().outlook(100.0) is None
    assert fed(lambda hours: 90.0 + hours, hours=0.05).outlook(100.0) is None


def test_a_saw_tooth_is_no_new_ground():
    series = fed(lambda hours: 40.0 + 20.0 * (hours % 3.0), hours=35.5)
    seen = series.outlook(100.0)
    assert seen is None or not seen.fresh


def test_the_tip_of_a_noisy_saw_tooth_is_no_new_ground():
    """The means of coarser rungs are below the tips of teeth that are shorter: the tips are remembered apart."""
    rng = random.Random(5)
    teeth = lambda hours: 40.0 + 40.0 * (hours % 1.0) + rng.gauss(0.0, 0.3)  # noqa: E731
    series = fed(teeth, hours=9.9, every_s=10.0)
    seen = series.outlook(85.0)
    assert seen is not None
    assert not seen.fresh


def test_a_season_is_learned_and_taken_off():
    day = lambda hours: 20.0 + 0.25 * hours + 8.0 * math.sin(hours * math.pi / 12.0)  # noqa: E731
    series = fed(day, hours=8 * 24, every_s=300.0)
    assert series.season.known
    reached = next(hour for hour in range(10_000) if day(8 * 24 + hour / 10.0) >= 100.0) / 10.0
    seen = series.outlook(100.0)
    assert seen.left_s / HOUR_S == pytest.approx(reached, rel=0.1)


def test_a_new_thing_begins_anew_and_keeps_its_record():
    series = fed(lambda hours: 20.0 + 2.0 * hours, hours=24)
    cases = series.outlook(100.0).backtest.cases
    series.clear()
    assert series.outlook(100.0) is None
    series = fed(lambda hours: 20.0 + 2.0 * hours, hours=24, series=series, begin=AT + 2 * DAY_S)
    assert series.outlook(100.0).backtest.cases > cases


def test_what_moves_fast_is_seen_at_once():
    series = SeriesForecast()
    for index in range(12):
        series.add(AT + index * 10.0, 50.0 + 2.0 * index)
    assert series.hurries(100.0, 300.0)
    assert not series.hurries(1000.0, 300.0)


def test_it_is_the_same_after_it_was_kept():
    rng = random.Random(2)
    series = fed(lambda hours: 20.0 + 0.5 * hours + rng.gauss(0.0, 0.2), hours=5 * 24, every_s=300.0)
    kept = json.dumps(series.plain())
    assert len(kept) < 4096
    again = SeriesForecast()
    again.restore(json.loads(kept))
    series.add(series.ladder.at + 10.0, 80.0)
    again.add(again.ladder.at + 10.0, 80.0)
    before, after = series.outlook(100.0), again.outlook(100.0)
    assert after.left_s == pytest.approx(before.left_s, rel=0.05)
    assert after.backtest == before.backtest


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"at": "x"},
        {"at": 1.0, "pace_s": 1.0, "rungs": [[1, [math.nan]]] * 4, "records": [], "season": {}},
        {"at": 1, "rungs": 7},
        {**SeriesForecast().plain(), "records": [{"errors": [1.0], "marks": []}] * 4},
        {**SeriesForecast().plain(), "records": [{"errors": [1.0], "marks": [99]}] * 4},
        {**SeriesForecast().plain(), "records": [{"errors": [math.nan], "marks": [1]}] * 4},
    ],
)
def test_what_is_no_sketch_is_refused(kept):
    with pytest.raises((KeyError, TypeError, ValueError)):
        SeriesForecast().restore(kept)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats()), max_size=80), st.floats(-1e6, 1e6))
def test_no_samples_break_it(samples, bound):
    series = SeriesForecast()
    for at, value in samples:
        series.add(AT + at, value)
        series.turn()
        series.hurries(bound, 300.0)
        seen = series.outlook(bound)
        assert seen is None or (seen.soonest_s >= 0.0 and math.isfinite(seen.left_s))


def own_bytes(thing, seen=None):
    """What an object and all that it alone refers to take."""
    seen = set() if seen is None else seen
    if id(thing) in seen or thing is None or isinstance(thing, type):
        return 0
    seen.add(id(thing))
    slots = [name for each in type(thing).__mro__ for name in getattr(each, "__slots__", ())]
    return sys.getsizeof(thing) + sum(own_bytes(getattr(thing, name), seen) for name in slots)


def test_it_stays_small():
    rng = random.Random(3)
    series = fed(lambda hours: 0.3 * hours + 5.0 * math.sin(hours / 4.0) + rng.gauss(0, 0.1), hours=30, every_s=10.0)
    series = fed(
        lambda hours: hours + rng.gauss(0, 0.1), hours=20 * 24, every_s=3600.0, series=series, begin=AT + DAY_S * 2
    )
    assert series.season.settled
    assert 3072 < own_bytes(series) <= 4096


def test_four_in_five_intervals_hold_the_truth():
    """A small part of the benchmark `forecast`, with its own seeds."""
    held = []
    for seed in range(24):
        rng = random.Random(seed)
        sd = rng.choice((0.2, 1.0))
        series = SeriesForecast()
        values = [index * 0.1 + rng.gauss(0.0, sd) for index in range(1000)]
        reached = next(index for index, value in enumerate(values) if value >= 80.0)
        ask = rng.randrange(reached // 2, reached)
        for index in range(ask):
            series.add(AT + index * 300.0, values[index])
            series.turn()
        seen = series.outlook(80.0)
        true_s = (reached - ask + 1) * 300.0
        held.append(seen.soonest_s <= true_s and (seen.latest_s is None or true_s <= seen.latest_s))
    assert mean(held) >= 0.65
