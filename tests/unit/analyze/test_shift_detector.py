"""Where the level of a series moved: ordinary series have no shift, a real one is found with its place; hostile input
does nothing; memory and time are bounded."""

import math
import random
import sys
import time
from itertools import cycle, islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autonomyd.analyze.shifts.detector import GAP_S, KEPT, ShiftDetector
from autonomyd.analyze.shifts.place import placed

STEP_S = 10.0
HOURS = 20


def white(rng):
    while True:
        yield 50 + rng.gauss(0, 3)


def wandering(rng, memory, by):
    level = 0.0
    while True:
        level = memory * level + rng.gauss(0, by)
        yield 50 + level


def season(rng, period_s):
    phase = rng.uniform(0, period_s)
    for step in range(10**9):
        yield 40 + 20 * math.sin((step * STEP_S + phase) / period_s * math.tau) + rng.gauss(0, 0.5)


def office_hours(rng):
    phase = rng.uniform(0, 86400)
    for step in range(10**9):
        yield 20 + 15 * math.tanh(3 * math.sin((step * STEP_S + phase) / 86400 * math.tau)) + rng.gauss(0, 1)


def trend(rng):
    for step in range(10**9):
        yield 10 + step * STEP_S * 0.0005 + rng.gauss(0, 0.2)


def spikes(rng):
    while True:
        yield 20 + rng.gauss(0, 1) + (rng.expovariate(1 / 40) if rng.random() < 0.02 else 0)


def bursts(rng, every):
    left = 0
    while True:
        if left <= -60 and rng.random() < 1 / every:
            left = rng.randint(6, 60)  # one to ten minutes, and as long between two: what is longer is a level
        left -= 1
        yield 10 + rng.gauss(0, 1) + (50 if left > 0 else 0)


def constant(rng):
    while True:
        yield 12.0 + (rng.random() < 0.001)


def counts(rng):
    while True:
        yield float(sum(rng.random() < 0.1 for _ in range(20)))


def saw(rng):
    for step in range(10**9):
        yield 100 + (step * STEP_S % 1800) / 10 + rng.gauss(0, 1)


def heavy(rng):
    while True:
        yield 5 * math.exp(rng.gauss(0, 1))


ORDINARY = {
    "white noise": white,
    "memory of a minute": lambda rng: wandering(rng, 0.9, 1),
    "memory of a quarter of an hour": lambda rng: wandering(rng, 0.99, 1),
    "random walk": lambda rng: wandering(rng, 1.0, 0.1),
    "day": lambda rng: season(rng, 86400),
    "hour": lambda rng: season(rng, 3600),
    "office hours": office_hours,
    "trend": trend,
    "spikes": spikes,
    "bursts": lambda rng: bursts(rng, 360),
    "rare bursts": lambda rng: bursts(rng, 2000),
    "constant": constant,
    "counts": counts,
    "saw-tooth": saw,
    "heavy tail": heavy,
}


def moves_of(values, *, detector=None, step_s=STEP_S):
    detector = detector or ShiftDetector(least=1.0)
    moves = (detector.observe(1000.0 + at * step_s, value) for at, value in enumerate(values))
    return [move for move in moves if move is not None]


def taken(series, count):
    return [next(series) for _ in range(count)]


def test_no_shift_in_a_thousand_hours_of_fifty_ordinary_series():
    names = list(islice(cycle(ORDINARY), 50))
    found = {}
    for number, name in enumerate(names):
        rng = random.Random(number)
        found[name] = found.get(name, 0) + len(moves_of(taken(ORDINARY[name](rng), int(HOURS * 3600 / STEP_S))))
    assert sum(found.values()) == 0, found


@pytest.mark.parametrize("size", [6.0, -6.0, 12.0, 40.0])
def test_a_shift_is_found_once_with_its_place(size):
    hits, covered = 0, 0
    for seed in range(12):
        rng = random.Random(seed)
        onset = rng.randint(600, 900)
        values = [60 + rng.gauss(0, 1) + (size if at >= onset else 0) for at in range(1300)]
        moves = moves_of(values)
        hits += len(moves)
        for move in moves:
            covered += abs(move.at - (1000.0 + (onset - 0.5) * STEP_S)) <= move.within_s
            assert move.after - move.before == pytest.approx(size, abs=1.0)
            assert move.within_s <= 60.0
    assert hits == 12
    assert covered >= 11


def test_it_is_told_within_twenty_minutes():
    rng = random.Random(3)
    detector = ShiftDetector()
    for at in range(2000):
        move = detector.observe(at * STEP_S, 50 + rng.gauss(0, 1) + (10 if at >= 700 else 0))
        if move is not None:
            assert (at - 700) * STEP_S <= 1200.0
            return
    pytest.fail("it was not found")


def test_samples_every_second_give_the_same_place():
    rng = random.Random(1)
    values = [50 + rng.gauss(0, 2) + (30 if at >= 7003 else 0) for at in range(12000)]
    (move,) = moves_of(values, step_s=1.0)
    assert abs(move.at - (1000.0 + 7003)) <= move.within_s + 1.0


def test_nothing_is_said_before_it_knows_what_is_usual():
    rng = random.Random(1)
    detector = ShiftDetector()
    moves = moves_of([50 + rng.gauss(0, 1) + (30 if at >= 100 else 0) for at in range(200)], detector=detector)
    assert not moves
    assert detector.learning


def test_the_way_back_is_a_shift_too_and_the_rhythm_of_a_saw_tooth_is_told_once():
    rng = random.Random(5)
    flat = [50 + rng.gauss(0, 1) + (20 if 600 <= at < 1200 else 0) for at in range(2000)]
    assert [move.after > move.before for move in moves_of(flat)] == [True, False]
    slow = [100 + at % 2000 / 10 + rng.gauss(0, 1) for at in range(9000)]
    assert len(moves_of(slow)) <= 1


def test_a_level_near_nothing_must_move_by_what_matters():
    values = [0.001 * (at >= 600) for at in range(1200)]
    assert moves_of(values, detector=ShiftDetector(least=0.5)) == []
    assert len(moves_of(values, detector=ShiftDetector())) == 1


def test_after_a_silence_the_story_begins_anew():
    detector = ShiftDetector()
    rng = random.Random(2)
    moves_of([50 + rng.gauss(0, 1) for _ in range(900)], detector=detector)
    later = 1000.0 + 900 * STEP_S + GAP_S + STEP_S
    assert not any(detector.observe(later + at * STEP_S, 90 + rng.gauss(0, 1)) for at in range(KEPT * 3))


HOSTILE = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.just(math.nan), st.just(math.inf), st.just(1.7e308), st.just(0.0)
)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.one_of(st.floats(-1e4, 1e5), HOSTILE), HOSTILE), max_size=400))
def test_hostile_input_raises_nothing(rows):
    detector = ShiftDetector()
    for at, value in rows:
        detector.observe(at, value)


def test_hostile_values_in_good_order_raise_nothing_and_are_counted():
    detector = ShiftDetector()
    odd = [math.nan, math.inf, -math.inf, 1.7e308, -1.7e308, 5e-324, 0.0]
    for at in range(4000):
        detector.observe(at * STEP_S, odd[at % len(odd)] if at % 3 else 10.0)
        detector.observe(at * STEP_S, 1.0)
    assert detector.refused >= 4000


def test_memory_is_bounded_and_small():
    rng = random.Random(1)
    detector = ShiftDetector()
    sizes = []
    for _ in range(3):
        moves_of([rng.gauss(0, 1) for _ in range(1000)], detector=detector)
        held = [getattr(detector, name) for name in detector.__slots__]
        sizes.append(sys.getsizeof(detector) + sum(map(sys.getsizeof, held)))
    assert max(sizes) <= 3000


def test_a_sample_costs_microseconds():
    rng = random.Random(1)
    values = [50 + rng.gauss(0, 3) for _ in range(20_000)]
    detector = ShiftDetector()
    began = time.perf_counter()
    for at, value in enumerate(values):
        detector.observe(at * STEP_S, value)
    assert (time.perf_counter() - began) / len(values) < 10e-6  # about 1 us on a quiet core


def test_the_place_is_found_beside_a_spike():
    values = [0.0] * 30 + [10.0] * 30
    values[5] = 500.0
    assert placed(values, begin=8, end=50, spread=1.0) == (30, 30, 30)
