"""The forecast: how often the true time lies in the stated 80 % interval, on ramps and on recorded traces, and what a
sample and a turn cost.

Recorded traces are those under AUTONOMYD_BENCH_DATA (default: ../shared/bench beside the checkout): files of
`timestamp,value`, as they are and added up, which is how a disk fills with what a machine writes."""

import csv
import math
import os
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

from figure import Figure, Options

from autonomyd.analyze.forecast.series import SeriesForecast

DAY_S = 86400.0
AT = 1.7e9 - 1.7e9 % DAY_S
BOUND = 95.0
DAYS = (0.1, 1.0, 6.0, 20.0, 60.0)
SAMPLES = 4000
ASKED = 12
AIM = 0.8
SEEDS = 7_310_000
"""Apart from those that the constants were chosen on."""
OFF = 0.05
"""75 to 85 % is right."""
Points = list[tuple[float, float]]


def measure(options: Options) -> list[Figure]:
    rounds = int(options.pick(120, 15))
    figures = [
        _figure(kind, [case for seed in range(rounds) for case in _cases(_ramp(make, seed), BOUND, seed)])
        for kind, make in (("linear", _linear), ("stepped", _stepped), ("seasonal", _seasonal))
    ]
    recorded = [case for points, bound, seed in _recorded(options) for case in _cases(points, bound, seed)]
    if recorded:
        figures.append(_figure("recorded", recorded))
    return [*figures, *_cost()]


def _figure(kind: str, held: list[bool]) -> Figure:
    share = sum(held) / len(held)
    return Figure(
        what=f"forecast, {kind}: true time in the interval, off 80 %",
        value=100.0 * abs(share - AIM),
        unit="points",
        target=100.0 * OFF,
        bound=200.0 * OFF,
        note=f"{100.0 * share:.0f} % of {len(held)} forecasts; 75 to 85 % is right",
    )


def _cases(points: Points, bound: float, seed: int) -> Iterator[bool]:
    """Whether the truth lay in the interval, for forecasts at some moments before the bound is first reached."""
    reached = next((index for index, (_, value) in enumerate(points) if value >= bound), None)
    if reached is None or reached < 60:
        return
    rng = random.Random(seed)
    asked = set(rng.sample(range(reached // 10, reached), min(ASKED, reached // 3)))
    series = SeriesForecast()
    for index in range(reached):
        at, value = points[index]
        series.add(at, value)
        series.turn()
        seen = series.outlook(bound) if index in asked else None
        if seen is not None:
            true_s = points[reached][0] - at
            yield seen.soonest_s <= true_s and (seen.latest_s is None or true_s <= seen.latest_s)


def _ramp(make: Callable[[random.Random, float, float], Iterator[float]], seed: int) -> Points:
    rng = random.Random(SEEDS + seed)
    days = DAYS[seed % len(DAYS)]
    step_s = max(10.0, days * DAY_S / SAMPLES)
    values = make(rng, step_s, 105.0 / (days * DAY_S))
    return [(AT + index * step_s, next(values)) for index in range(int(days * DAY_S / step_s))]


def _linear(rng: random.Random, step_s: float, rise: float) -> Iterator[float]:
    deviation, lasts = rng.choice((0.01, 0.1, 0.5, 2.0)), rng.choice((0.0, 0.0, 0.9))
    noise = level = 0.0
    while True:
        noise = lasts * noise + rng.gauss(0.0, deviation) * math.sqrt(1.0 - lasts * lasts)
        yield level + noise
        level += rise * step_s


def _stepped(rng: random.Random, step_s: float, rise: float) -> Iterator[float]:
    """Nightly jobs, steps at random, or a log that is rotated every day."""
    kind, deviation = rng.choice(("nightly", "random", "rotated")), rng.choice((0.01, 0.1))
    hour_s, a_day = rng.randrange(24) * 3600.0, rng.choice((1.0, 4.0, 24.0))
    level = saw = at = 0.0
    while True:
        night = (at - hour_s) // DAY_S != (at - step_s - hour_s) // DAY_S
        if kind == "nightly" and night:
            level += rise * DAY_S * rng.lognormvariate(-0.02, 0.2)
        elif kind == "random" and rng.random() < a_day * step_s / DAY_S:
            level += rise * DAY_S / a_day * rng.expovariate(1.0)
        elif kind == "rotated":
            level += rise * step_s
            saw = 0.0 if night else saw + 2.0 * rise * step_s * rng.random()
        yield level + saw + rng.gauss(0.0, deviation)
        at += step_s


def _seasonal(rng: random.Random, step_s: float, rise: float) -> Iterator[float]:
    swing, phase, deviation = rise * DAY_S * rng.choice((0.3, 1.0, 3.0)), rng.random() * 6.28, rng.choice((0.05, 0.3))
    at = 0.0
    while True:
        turn = 2.0 * math.pi * at / DAY_S
        season = math.sin(turn + phase) + 0.3 * math.sin(2.0 * turn + phase)
        yield rise * at + swing * season + rng.gauss(0.0, deviation)
        at += step_s


def _recorded(options: Options) -> Iterator[tuple[Points, float, int]]:
    root = Path(os.environ.get("AUTONOMYD_BENCH_DATA", Path(__file__).resolve().parents[3] / "shared" / "bench"))
    files = sorted(root.glob("nab/data/real*/*.csv"))
    for path in files[:: 4 if options.quick else 1]:
        points = sorted(_points(path))
        levels = sorted(value for _, value in points)
        for share in (0.9, 0.97, 1.0):
            yield points, levels[min(len(levels) - 1, int(share * len(levels)))], crc32(path.name.encode())
        total = 0.0
        added: Points = []
        for at, value in points:
            total += max(0.0, value)
            added.append((at, total))
        for share in (0.2, 0.5, 0.98):
            yield added, share * total, crc32(path.name.encode())


def _points(path: Path) -> Iterator[tuple[float, float]]:
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            yield datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC).timestamp(), float(row["value"])


def _cost() -> list[Figure]:
    rng = random.Random(1)
    series = [SeriesForecast() for _ in range(100)]
    samples = turns = 0.0
    rounds = 360
    for index in range(rounds):
        values = [30.0 + 0.01 * index + rng.gauss(0.0, 0.3) for _ in series]
        began = time.perf_counter()
        for each, value in zip(series, values, strict=True):
            each.add(AT + 10.0 * index, value)
            each.hurries(100.0, 300.0)
        samples += time.perf_counter() - began
        if index % 6 == 5:
            began = time.perf_counter()
            for number, each in enumerate(series):
                each.turn()
                if index // 6 % 10 == number % 10:
                    each.outlook(100.0)
            turns += time.perf_counter() - began
    return [
        Figure(what="forecast, a sample", value=1e6 * samples / (rounds * 100), unit="us", target=2.0, bound=8.0),
        Figure(
            what="forecast, 100 series, mean of a tick",
            value=1e3 * (samples + turns) / rounds,
            unit="ms",
            target=2.0,
            bound=8.0,
            note="a tick every 10 s, a turn every minute, each series judged every ten minutes",
        ),
    ]
