"""Learned levels: away from what is usual, within what the metric can mean, and never noisier than allowed."""

import random
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.learn.thresholds import (
    AROUND_S,
    MOST_A_MONTH,
    Level,
    Ordinary,
    advised,
    ladder,
    moved_clear,
    ordinary,
    ordinary_points,
    quantile,
)
from autonomyd.model.rollup import DAY_S, Point
from autonomyd.model.tuning import AdviceState

CPU = Level(name="cpu_percent", enter=80.0, clear=75.0, percent=True, for_s=60.0)
LATENCY = Level(name="latency_ms", enter=1000.0, clear=900.0, percent=False, for_s=30.0)
AVAILABLE = Level(name="availability_percent", enter=99.0, clear=99.5, percent=True, for_s=60.0)
NEVER: defaultdict[float, float] = defaultdict(float)


def known(usual: float, rare: float, *, days: float = 14.0, name: str = "host/cpu.percent") -> Ordinary:
    return Ordinary(name=name, unit="%", usual=usual, rare=rare, ordinary_s=days * DAY_S, span_s=days * DAY_S)


def points(days: float, *, seed: int = 1) -> list[Point]:
    values = random.Random(seed)
    found = []
    for minute in range(int(days * 1440)):
        mean = values.gauss(30.0, 5.0)
        found.append(Point(minute * 60.0, 60.0, 6, mean - 5, mean + 10, mean, mean))
    return found


def test_quantiles_are_interpolated() -> None:
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.5
    assert quantile([7.0], 0.995) == 7.0
    assert quantile([0.0, 10.0], 1.0) == 10.0


@given(
    st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 5e3)), max_size=10),
)
def test_troubles_and_what_is_around_them_are_not_ordinary(troubles: list[tuple[float, float]]) -> None:
    spans = [(begin, begin + length) for begin, length in troubles]
    every = [Point(minute * 60.0, 60.0, 1, 0.0, 0.0, 0.0, 0.0) for minute in range(1500)]
    kept = {point.at for point in ordinary_points(every, spans)}
    for point in every:
        touched = any(begin - AROUND_S < point.until and point.at < end + AROUND_S for begin, end in spans)
        assert (point.at not in kept) is touched


def test_a_level_that_is_held_looks_at_means_and_a_quick_one_at_extremes() -> None:
    recorded = points(8.0)
    assert ordinary(recorded, CPU, name="a", unit="%").usual == pytest.approx(30.0, abs=0.3)
    quick = Level(name="disk_percent", enter=90.0, clear=85.0, percent=True, for_s=10.0)
    assert ordinary(recorded, quick, name="a", unit="%").usual == pytest.approx(40.0, abs=0.3)
    found = ordinary(recorded, CPU, name="a", unit="%")
    assert found.enough
    assert found.rare == pytest.approx(30 + 2.576 * 5, abs=0.7)


def test_a_few_wild_minutes_move_nothing() -> None:
    calm = ordinary(points(8.0), CPU, name="a", unit="%")
    wild = [
        point._replace(mean=1e9, high=1e9) if index % 1000 == 7 else point for index, point in enumerate(points(8.0))
    ]
    assert ordinary(wild, CPU, name="a", unit="%").rare == pytest.approx(calm.rare, rel=0.05)


def test_less_than_a_week_waits_and_says_what_is_missing() -> None:
    for series in (
        [],
        [known(30.0, 40.0, days=6.0)],
        [Ordinary(name="a/b", unit="", usual=1, rare=2, ordinary_s=1e5, span_s=1e6)],
    ):
        advice = advised(CPU, series, {})
        assert advice.state is AdviceState.WAITS
        assert advice.new_enter is None
        assert ladder(CPU, series) == ()
    assert "; a/b has 27 h in" in advised(CPU, series, {}).why
    assert advised(CPU, [], {}).why == "nothing is recorded of what it judges"


def test_the_nearest_series_decides() -> None:
    advice = advised(CPU, [known(10.0, 20.0), known(30.0, 50.0, name="b"), known(5.0, 99.0, days=1.0)], NEVER)
    assert (advice.state, advice.new_enter, advice.new_clear) == (AdviceState.CHANGE, 55.0, 50.0)
    assert advice.why.startswith("b is usually at 30")


@pytest.mark.parametrize(
    ("level", "found", "enter"),
    [
        (CPU, known(1.0, 2.0), 40.0),
        (CPU, known(60.0, 99.0), 95.0),
        (LATENCY, known(40.0, 120.0), 500.0),
        (LATENCY, known(900.0, 4000.0), 4800.0),
        (AVAILABLE, known(100.0, 100.0), 99.5),
        (AVAILABLE, known(100.0, 97.0), 96.2),
        (AVAILABLE, known(90.0, 50.0), 90.0),
        (Level(name="hits", enter=0.5, clear=0.6, percent=False), known(0.9, 0.8), 0.75),
        (Level(name="in_stock", enter=500.0, clear=600.0, percent=False), known(900.0, 800.0), 500.0),
    ],
)
def test_levels_stay_within_what_the_metric_means(level: Level, found: Ordinary, enter: float) -> None:
    advice = advised(level, [found], NEVER)
    assert (advice.new_enter if advice.state is AdviceState.CHANGE else advice.enter) == enter


def test_a_noisy_level_is_moved_away_until_it_is_quiet() -> None:
    rungs = ladder(CPU, [known(30.0, 50.0)])
    assert rungs[:3] == (80.0, 55.0, 58.0)
    assert list(rungs[1:]) == sorted(rungs[1:])
    alarms = {rung: 0.0 if rung >= 70 else 9.0 for rung in rungs}
    advice = advised(CPU, [known(30.0, 50.0)], alarms)
    assert advice.new_enter == next(rung for rung in rungs[1:] if rung >= 70)
    assert "a nearer level would have alarmed" in advice.why
    loud = advised(CPU, [known(30.0, 50.0)], dict.fromkeys(rungs, MOST_A_MONTH + 1))
    assert "no level that means anything" in loud.why
    assert loud.new_enter == 95.0


def test_what_hardly_differs_fits() -> None:
    advice = advised(CPU, [known(40.0, 70.0)], NEVER)
    assert (advice.state, advice.new_enter, advice.new_clear, advice.new_alarms) == (AdviceState.FITS, None, None, None)


def test_a_number_without_digits_is_none() -> None:
    assert advised(AVAILABLE, [known(100.0, 100.0 - 1e-14)], NEVER).new_enter == 99.5
    assert advised(Level(name="x", enter=0.0, clear=-1.0, percent=False), [known(0.0, 5e-324)], NEVER).enter == 0.0


@given(
    st.sampled_from([CPU, LATENCY, AVAILABLE]),
    st.floats(0.0, 100.0),
    st.floats(0.0, 100.0),
    st.floats(0.0, 20.0),
)
def test_any_history_gives_a_level_that_can_be_set(level: Level, usual: float, off: float, noise: float) -> None:
    rare = usual + off if level.above else usual - off
    series = [known(usual, rare)]
    rungs = ladder(level, series)
    advice = advised(level, series, dict.fromkeys(rungs, noise))
    if advice.new_enter is None or advice.new_clear is None:
        return
    assert (advice.new_clear < advice.new_enter) is level.above
    if level.percent:
        assert 0.0 <= advice.new_clear <= 100.0
        assert 0.0 <= advice.new_enter <= 100.0


def test_the_clear_level_goes_along() -> None:
    assert moved_clear(CPU, 60.0) == 55.0
    assert moved_clear(CPU, 6.0) == 3.0
    assert moved_clear(LATENCY, 500.0) == 450.0
    assert moved_clear(AVAILABLE, 99.8) == pytest.approx(99.9)
    assert moved_clear(Level(name="x", enter=0.0, clear=-1.0, percent=False), 5.0) == 4.0
