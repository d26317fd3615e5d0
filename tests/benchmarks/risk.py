"""How good the two ways to say a risk are, on made histories of 60 days whose truth is known: chance, rhythms, bursts,
spells, things that get worse and things that were mended. Each day is said before it begins (prequential)."""

import sys
import time
from collections.abc import Callable, Mapping
from random import Random

from figure import Figure, Options

from autonomyd.analyze.risk.book import RiskBook
from autonomyd.analyze.risk.score import Score
from autonomyd.model.risk import RiskKey, RiskOf, RiskReport, RiskScore
from autonomyd.model.subject import Subject
from autonomyd.model.words import DAY_S

DAYS = 60
BEGIN = 19_676 * DAY_S
Times = list[float]


def measure(options: Options) -> list[Figure]:
    each = int(options.pick(60, 15))
    histories = {
        f"{name} {number}": shape(Random(f"{name} {number}"))
        for name, shape in SHAPES.items()
        for number in range(each)
    }
    began = time.thread_time()
    books = {name: _book({name: times}) for name, times in histories.items() if times}
    took = time.thread_time() - began
    scores = {name: book.report(BEGIN + DAYS * DAY_S) for name, book in books.items()}
    frequency = _together([each.frequency for each in scores.values()])
    gaps = _together([each.gaps for each in scores.values()])
    base = Score()
    for times in histories.values():
        _base_rate(times, base)
    yardstick = f"by frequency {frequency.brier:.3f}, by the share of days so far {base.brier or 0.0:.3f}"
    return [
        Figure(
            what="risk by gaps, Brier score", value=gaps.brier or 0.0, unit="of 1", target=0.135, bound=0.15,
            yardstick=yardstick, note=f"log loss {gaps.log_loss:.3f}; {len(books)} histories of {len(SHAPES)} kinds",
        ),
        Figure(
            what="risk by gaps : by frequency, Brier", value=(gaps.brier or 0.0) / (frequency.brier or 1.0), unit="x",
            target=0.8, bound=1.0, note=_by_kind(scores),
        ),
        Figure(
            what="risk, a day of a component", value=1e6 * took / max(1, gaps.cases), unit="us", target=100.0,
            bound=400.0, note="both ways, said and scored",
        ),
        Figure(what="risk, memory of a component", value=_bytes() / 1024.0, unit="KB", target=4.0, bound=4.0),
    ]  # fmt: skip


def _book(histories: dict[str, Times]) -> RiskBook:
    book = RiskBook()
    book.advance(BEGIN)
    for name, times in histories.items():
        key = RiskKey(of=RiskOf.COMPONENT, subject=Subject(name))
        for day in times:
            book.begins(key, BEGIN + day * DAY_S)
            book.ends(key, BEGIN + day * DAY_S)
    book.advance(BEGIN + DAYS * DAY_S)
    return book


def _together(scores: list[RiskScore]) -> RiskScore:
    cases = sum(each.cases for each in scores)
    brier = sum((each.brier or 0.0) * each.cases for each in scores) / cases
    log_loss = sum((each.log_loss or 0.0) * each.cases for each in scores) / cases
    happened = sum(each.happened for each in scores)
    return RiskScore(
        cases=cases, happened=happened, brier=brier, log_loss=log_loss, precision=None, recall=None
    )  # fmt: skip


def _by_kind(scores: Mapping[str, RiskReport]) -> str:
    parts = []
    for kind in SHAPES:
        mine = [report for name, report in scores.items() if name.rpartition(" ")[0] == kind]
        frequency, gaps = _together([each.frequency for each in mine]), _together([each.gaps for each in mine])
        parts.append(f"{kind} {frequency.brier:.2f} to {gaps.brier:.2f}")
    return ", ".join(parts)


def _base_rate(times: Times, score: Score) -> None:
    """The share of the days so far on which it came, from the day after the first on."""
    came = {int(day) for day in times}
    days = hits = 0
    for day in range(min(came, default=DAYS) + 1, DAYS):
        score.add((hits + 0.5) / (days + 1), day in came)
        days, hits = days + 1, hits + (day in came)


def _bytes() -> int:
    """Of what is kept for one component with a long history."""
    book = _book({"a": [number / 4 for number in range(4 * DAYS)]})
    (entry,) = book._entries.values()
    return _size(entry, set())


def _size(value: object, seen: set[int]) -> int:
    if id(value) in seen:
        return 0
    seen.add(id(value))
    size = sys.getsizeof(value)
    if isinstance(value, list | tuple):
        return size + sum(_size(each, seen) for each in value)
    slots = getattr(type(value), "__slots__", ())
    return size + sum(_size(getattr(value, name), seen) for name in slots)


# --- made histories: the days on which something comes ----------------------------------------------------------------


def _chance(a_day: float) -> Callable[[Random], Times]:
    def made(random: Random) -> Times:
        day, days = random.expovariate(a_day), []
        while day < DAYS:
            days.append(day)
            day += random.expovariate(a_day)
        return days

    return made


def _rhythm(period: float, wavers: float) -> Callable[[Random], Times]:
    def made(random: Random) -> Times:
        first = random.random() * period
        days = (first + number * period + random.gauss(0.0, wavers) for number in range(int(DAYS / period) + 1))
        return sorted(day for day in days if 0.0 <= day < DAYS)

    return made


def _bursts(random: Random) -> Times:
    days = [
        start + random.expovariate(10.0)
        for start in _chance(0.1)(random)
        for _ in range(1 + int(random.expovariate(0.2)))
    ]
    return sorted(day for day in days if day < DAYS)


def _spells(random: Random) -> Times:
    day, days = 0.0, []
    while day < DAYS:
        day += random.expovariate(1.0 / 12.0)
        long = random.uniform(2.0, 6.0)
        days += [day + offset for offset in _chance(2.0)(random) if offset < long]
        day += long
    return sorted(each for each in days if each < DAYS)


def _worse(random: Random) -> Times:
    return [day for day in _chance(1.5)(random) if random.random() < day / DAYS]


def _mended(random: Random) -> Times:
    end = random.uniform(15.0, 40.0)
    return [day for day in _chance(random.choice((0.5, 1.0, 2.0)))(random) if day < end]


SHAPES: dict[str, Callable[[Random], Times]] = {
    "rare": _chance(1.0 / 30.0),
    "once a week by chance": _chance(1.0 / 7.0),
    "once a day by chance": _chance(1.0),
    "three a day": _chance(3.0),
    "every day": _rhythm(1.0, 0.05),
    "every three days": _rhythm(3.0, 0.15),
    "every week": _rhythm(7.0, 0.2),
    "bursts": _bursts,
    "spells": _spells,
    "ever worse": _worse,
    "mended": _mended,
}
