"""Twenty hours of ordinary work on fifty series: surprises there are, and not one notice."""

import math
import random
from collections.abc import Callable, Iterator

import pytest

from autonomyd.analyze.issuebook import IssueBook
from autonomyd.engine.insight.surprises import PACE_S, SurpriseWatch
from autonomyd.engine.records import Records
from autonomyd.model.issue import Issue
from autonomyd.model.subject import Subject
from autonomyd.model.words import DAY_S, HOUR_S
from autonomyd.monitor.ring import MetricsRing
from autonomyd.testing import ManualClock

HOURS = 20
SUBJECTS = 5
METRICS = 10
UNITS = {f"m{number}": ("%", "ms", "MB", "")[number % 4] for number in range(METRICS)}

Series = Iterator[float]


def walk(chance: random.Random) -> Series:
    value = 100.0
    while True:
        value += chance.gauss(0.0, 10.0)
        yield value


def autoregressive(chance: random.Random) -> Series:
    value = 0.0
    while True:
        value = 0.9 * value + chance.gauss(0.0, 10.0)
        yield 500.0 + value


def season(chance: random.Random) -> Series:
    phase, number = chance.uniform(0.0, DAY_S), 0
    while True:
        number += 1
        yield 500.0 + 300.0 * math.sin(2 * math.pi * (phase + number * PACE_S) / DAY_S) + chance.gauss(0.0, 30.0)


def bursts(chance: random.Random) -> Series:
    while True:
        for _ in range(1 + int(chance.expovariate(0.01))):
            yield max(0.0, chance.gauss(50.0, 15.0))
        for _ in range(1 + int(chance.expovariate(1 / 6))):
            yield chance.gauss(600.0, 100.0)


def steps(chance: random.Random) -> Series:
    value = 12.0
    while True:
        if chance.random() < 0.002:
            value += chance.choice((-10.0, 10.0))
        yield value


def heavy(chance: random.Random) -> Series:
    while True:
        yield 10.0 * chance.lognormvariate(2.0, 0.8)


KINDS: tuple[Callable[[random.Random], Series], ...] = (walk, autoregressive, season, bursts, steps, heavy)


@pytest.mark.parametrize("seed", [1])
async def test_an_hour_of_ordinary_work_brings_no_notice(seed: int) -> None:
    chance = random.Random(seed)
    clock = ManualClock()
    ring = MetricsRing(10)
    opened: list[Issue] = []
    book = IssueBook(next_id=lambda: 1, listen=lambda issue, _: opened.append(issue))
    watch = SurpriseWatch(clock=clock, records=Records(clock), metrics=ring.reader, book=book)
    machine = {
        Subject(f"service:s{number}"): {
            f"m{metric}": KINDS[(number * METRICS + metric) % len(KINDS)](chance) for metric in range(METRICS)
        }
        for number in range(SUBJECTS)
    }
    for turn in range(int(HOURS * HOUR_S / PACE_S)):
        clock.advance(PACE_S)
        for subject, series in machine.items():
            ring.append(subject, "p", clock.monotonic(), {name: next(each) for name, each in series.items()}, UNITS)
        if turn % 6 == 0:
            await watch.tick()
    assert watch.known == SUBJECTS * METRICS
    assert watch.learning() == ()
    assert opened == []
    assert 0 < len(watch.newest) < HOURS * SUBJECTS * METRICS  # less than one an hour of each
