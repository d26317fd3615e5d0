"""The anomaly detector: what it learns, what surprises it, and what it survives."""

import json
import math
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autonomyd.analyze.anomaly.detector import LEAST_REST, MOST_REST, SURPRISE, AnomalyDetector, load
from autonomyd.analyze.anomaly.novelty import FIRST, LEVELS
from autonomyd.analyze.anomaly.packed import unpacked

BEGIN = 1.7e9
MINUTE_S = 60.0
HOUR_S = 3600.0
DAY_S = 86400.0
MOST_BYTES = 4096

Shape = Callable[[float], float]


def feed(
    detector: AnomalyDetector, shape: Shape, count: int, *, every_s: float = MINUTE_S, begin: float = BEGIN
) -> list[float]:
    """The scores of `count` samples of `shape` (of seconds since BEGIN)."""
    ats = [begin + number * every_s for number in range(count)]
    return [detector.observe(at, shape(at - BEGIN)) for at in ats]


def noisy(seed: int = 1, level: float = 50.0, spread: float = 1.0) -> Shape:
    chance = random.Random(seed)
    return lambda _: level + chance.gauss(0.0, spread)


def daily(seed: int = 1) -> Shape:
    chance = random.Random(seed)
    return lambda at: 100.0 + 50.0 * math.sin(2 * math.pi * at / DAY_S) + chance.gauss(0.0, 1.0)


def surprises(scores: list[float]) -> list[int]:
    return [number for number, score in enumerate(scores) if score >= SURPRISE]


def test_it_says_learning_and_nothing_else_until_it_knows() -> None:
    detector = AnomalyDetector()
    assert detector.learning
    scores = feed(detector, noisy(), FIRST)
    assert detector.learning
    assert not any(scores)
    feed(detector, noisy(2), 1, begin=BEGIN + FIRST * MINUTE_S)
    assert not detector.learning


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_a_value_never_seen_is_a_surprise_on_any_scale(scale: float, offset: float) -> None:
    shape = noisy()
    detector = AnomalyDetector()
    feed(detector, lambda at: scale * (offset + shape(at)), 1000)
    detector.observe(BEGIN + 2000 * MINUTE_S, scale * (offset + 50.0))
    scores = feed(detector, lambda at: scale * (offset + 90.0), LEAST_REST + 1, begin=BEGIN + 3000 * MINUTE_S)
    assert max(scores) >= SURPRISE
    assert detector.expected == pytest.approx(scale * (offset + 50.0), rel=0.02)
    assert detector.spread == pytest.approx(scale * 0.8, rel=0.3)


def test_surprises_are_rare_and_the_same_share_whatever_the_shape() -> None:
    chance = random.Random(3)
    shapes: dict[str, Shape] = {
        "normal": noisy(),
        "heavy": lambda _: chance.lognormvariate(0.0, 1.0),
        "uniform": lambda _: chance.random(),
        "counts": lambda _: float(chance.randrange(40)),
        "mostly nothing": lambda _: float(chance.random() < 0.02),
    }
    for name, shape in shapes.items():
        assert len(surprises(feed(AnomalyDetector(), shape, 4000))) <= 4000 / 200, name


def test_the_repeat_of_a_surprise_is_none() -> None:
    detector = AnomalyDetector()
    shape = noisy()
    feed(detector, shape, 1000)
    first = feed(detector, lambda _: 90.0, 200, begin=BEGIN + 1000 * MINUTE_S)
    assert surprises(first) == [0]
    feed(detector, shape, 500, begin=BEGIN + 1200 * MINUTE_S)
    again = feed(detector, lambda _: 90.0, 200, begin=BEGIN + 1700 * MINUTE_S)
    assert surprises(again) == []


def test_it_rests_after_a_surprise_the_longer_the_better_it_knows_the_series() -> None:
    rests = []
    for seen in (500, 3000, 20_000):
        detector = AnomalyDetector()
        feed(detector, lambda at: 50.0, seen, every_s=1.0)
        jumps = feed(detector, lambda at: 1000.0 + (at % 1000) ** 2, MOST_REST + 2, begin=BEGIN + seen, every_s=1.0)
        found = surprises(jumps)
        assert found[0] == 0
        rests.append(found[1] if len(found) > 1 else MOST_REST + 1)
    assert rests == [LEAST_REST + 1, 91, MOST_REST + 1]


def test_rarity_goes_on_while_the_series_rests() -> None:
    detector = AnomalyDetector()
    feed(detector, noisy(), 1000)
    feed(detector, lambda at: 90.0, 1, begin=BEGIN + 1000 * MINUTE_S)
    assert feed(detector, lambda at: 500.0, 1, begin=BEGIN + 1001 * MINUTE_S) == [0.0]
    assert detector.rarity > 2.5
    assert detector.distance == pytest.approx(410.0)
    assert detector.farthest == pytest.approx(40.0, abs=5.0)


def test_a_usual_value_at_an_unusual_hour_is_a_surprise_once_the_season_is_known() -> None:
    detector = AnomalyDetector()
    shape = daily()
    known = int(6 * DAY_S / (5 * MINUTE_S))
    feed(detector, shape, known, every_s=5 * MINUTE_S)
    night = BEGIN + 6 * DAY_S + 18 * HOUR_S  # the lowest of the sine, from 50 up
    until = int(18 * HOUR_S / (5 * MINUTE_S))
    assert not surprises(feed(detector, shape, until, every_s=5 * MINUTE_S, begin=BEGIN + 6 * DAY_S))
    assert max(feed(detector, lambda at: 120.0, 3, begin=night)) >= SURPRISE
    assert detector.expected == pytest.approx(50.0, abs=8.0)


def test_an_hour_that_was_seen_once_is_no_season() -> None:
    detector = AnomalyDetector()
    feed(detector, daily(), int(1.5 * DAY_S / (5 * MINUTE_S)), every_s=5 * MINUTE_S)
    assert detector.spread > 10.0


def test_a_level_that_stays_becomes_the_usual_one() -> None:
    detector = AnomalyDetector()
    feed(detector, noisy(), 1000)
    shape = noisy(level=80.0)
    feed(detector, shape, 300, begin=BEGIN + 1000 * MINUTE_S)
    assert detector.expected == pytest.approx(50.0, abs=1.0)
    assert detector.moved == 0
    feed(detector, shape, 100, begin=BEGIN + 1300 * MINUTE_S)
    assert detector.moved == 1
    assert detector.expected == pytest.approx(80.0, abs=1.0)
    assert detector.spread == pytest.approx(0.8, abs=0.4)


def test_a_constant_never_surprises_and_its_first_change_does() -> None:
    detector = AnomalyDetector()
    assert not any(feed(detector, lambda _: 0.1, 3000))
    assert feed(detector, lambda _: 0.2, 1, begin=BEGIN + 3000 * MINUTE_S)[0] >= SURPRISE


def test_a_counter_that_grows_and_resets_is_no_surprise_for_long() -> None:
    scores = feed(AnomalyDetector(), lambda at: (at * 1000.0) % 3e8, 6000, every_s=10.0)
    assert len(surprises(scores)) <= 6000 / 200


BAD = [math.nan, math.inf, -math.inf, 1e300, -1e300]


@pytest.mark.parametrize("value", BAD)
def test_what_is_no_number_is_counted_and_teaches_nothing(value: float) -> None:
    detector = AnomalyDetector()
    feed(detector, noisy(), 500)
    before = detector.dump()
    assert detector.observe(BEGIN + 500 * MINUTE_S, value) == 0.0
    assert detector.refused == 1
    after = detector.dump()
    assert {**before, "last": 0} == {**after, "last": 0}


def test_repeated_and_reversed_times_are_counted_and_a_clock_set_back_is_followed() -> None:
    detector = AnomalyDetector()
    feed(detector, noisy(), 500)
    detector.observe(detector.last, 50.0)
    detector.observe(detector.last - 100 * DAY_S, 50.0)
    for bad in (math.nan, math.inf, -math.inf):
        detector.observe(bad, 50.0)
    assert detector.refused == 5
    assert detector.seen == 500
    detector.observe(detector.last + 1.0, 50.0)
    assert detector.seen == 501


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.floats(-1e6, 1e5), st.sampled_from([*BAD, 0.0, 1e29])),
            st.one_of(st.floats(), st.sampled_from([0.0, 1.0, -1.0, 5e-324, 1e29, -1e29])),
        ),
        max_size=400,
    )
)
def test_no_input_breaks_it(steps: list[tuple[float, float]]) -> None:
    detector = AnomalyDetector()
    at = BEGIN
    for step, value in steps:
        at = at + step if math.isfinite(step) and abs(at) < 1e12 else BEGIN
        assert 0.0 <= detector.observe(step if not math.isfinite(step) else at, value) <= 1.0
        assert math.isfinite(detector.expected)
        assert math.isfinite(detector.spread)
    assert memory(detector) <= MOST_BYTES
    if detector.seen:
        json.dumps(load(detector.dump()).dump(), allow_nan=False)


def test_it_stays_within_4_kb_a_series() -> None:
    detector = AnomalyDetector()
    chance = random.Random(1)
    feed(detector, lambda _: chance.lognormvariate(0.0, 2.0), 20_000)
    assert len(unpacked(detector.dump()["values"]["novelty"]["levels"])) == LEVELS  # it is full
    assert memory(detector) <= MOST_BYTES
    assert len(json.dumps(detector.dump())) <= MOST_BYTES


def memory(detector: AnomalyDetector) -> int:
    """Bytes of everything that this one detector holds."""
    return sum(sys.getsizeof(each) for each in held(detector, set()))


def held(thing: Any, met: set[int]) -> Iterator[Any]:
    if id(thing) in met:
        return
    met.add(id(thing))
    yield thing
    slots = getattr(type(thing), "__slots__", ())
    for name in slots:
        yield from held(getattr(thing, name), met)


def test_what_it_learned_survives_as_text() -> None:
    detector = AnomalyDetector()
    feed(detector, daily(), 3000)
    again = load(json.loads(json.dumps(detector.dump())))
    shape, same = daily(9), daily(9)
    begin = BEGIN + 3000 * MINUTE_S
    assert feed(detector, shape, 500, begin=begin) == feed(again, same, 500, begin=begin)
    assert (detector.expected, detector.spread) == (again.expected, again.spread)


def test_a_state_that_is_none_is_refused() -> None:
    detector = AnomalyDetector()
    feed(detector, noisy(), 300)
    good = detector.dump()
    nan = "AADAfw=="  # one single that is not a number
    broken: list[dict[str, Any]] = [
        {},
        {**good, "version": 0},
        {**good, "rest": -1},
        {**good, "seen": "many"},
        {**good, "last": math.inf},
        {**good, "season": {}},
        {**good, "season": {**good["season"], "hours": nan}},
        {**good, "season": {**good["season"], "hours": ""}},
        {**good, "season": {**good["season"], "figures": [math.nan] * 6}},
        {**good, "values": None},
        {**good, "values": {**good["values"], "baseline": [math.nan] * 6}},
        {**good, "values": {**good["values"], "baseline": []}},
        {**good, "values": {**good["values"], "novelty": {**good["values"]["novelty"], "levels": nan}}},
        {**good, "values": {**good["values"], "novelty": {**good["values"]["novelty"], "levels": "%"}}},
        {**good, "values": {**good["values"], "novelty": {**good["values"]["novelty"], "base": math.inf}}},
    ]
    for state in broken:
        with pytest.raises(ValueError):  # noqa: PT011 - one error for every kind of damage
            load(state)
