"""The risk book: each day is said before it begins, and judged after; presence, blind days, bad times, bounds."""

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autonomyd.analyze.risk.book import MOST_KEYS, RiskBook
from autonomyd.analyze.risk.logistic import Curve
from autonomyd.model.risk import RiskKey, RiskOf, RiskWay
from autonomyd.model.subject import Subject
from autonomyd.model.words import DAY_S

MIDNIGHT = 19_676 * DAY_S
WEB = RiskKey(of=RiskOf.PROBLEM, subject=Subject("service:web"), name="service_down process")
DISK = RiskKey(of=RiskOf.COMPONENT, subject=Subject("disk:/var"))


def played(*happenings, until, book=None):
    """`happenings` are (day, key): it comes there and is over an hour later."""
    book = book or RiskBook()
    book.advance(MIDNIGHT)
    for day, key in sorted(happenings, key=lambda each: each[0]):
        book.begins(key, MIDNIGHT + day * DAY_S)
        book.ends(key, MIDNIGHT + day * DAY_S + 60.0)
    book.advance(MIDNIGHT + until * DAY_S)
    return book


def row(book, key, day):
    found = book.row(key, MIDNIGHT + day * DAY_S)
    assert found is not None
    return found


def test_an_empty_book_says_nothing():
    report = RiskBook().report(MIDNIGHT)
    assert (report.rows, report.since, report.frequency.cases) == ((), None, 0)


def test_both_ways_are_shown_and_the_riskiest_comes_first():
    book = played(*((day + 0.5, WEB) for day in range(20)), (3.0, DISK), until=20)
    rows = book.report(MIDNIGHT + 20 * DAY_S).rows
    assert [each.key for each in rows] == [WEB, DISK]
    assert rows[0].count == 20
    assert rows[0].a_day == pytest.approx(1.0)
    assert rows[0].by_frequency == pytest.approx(1 / (1 + math.exp(-4.0 * 0.31)))
    assert rows[0].by_gaps > 0.9
    assert rows[1].by_gaps < 0.2


def test_each_day_is_judged_by_what_was_known_before():
    book = played((0.5, WEB), (4.5, WEB), until=6)
    scores = row(book, WEB, 6).gaps
    # the day of its first time was nobody's case: it was not known; five days follow, on one of which it came
    assert (scores.cases, scores.happened) == (5, 1)
    assert scores.brier is not None
    longer = played((0.5, WEB), (4.5, WEB), until=5)
    assert row(longer, WEB, 5).gaps.cases == 4


def test_what_is_there_can_not_come_and_is_no_case():
    book = RiskBook()
    book.begins(WEB, MIDNIGHT + 100.0)
    book.advance(MIDNIGHT + 5 * DAY_S)
    assert row(book, WEB, 5).present
    assert row(book, WEB, 5).gaps.cases == 0
    book.ends(WEB, MIDNIGHT + 5 * DAY_S + 1.0)
    book.advance(MIDNIGHT + 8 * DAY_S)
    assert not row(book, WEB, 8).present
    assert row(book, WEB, 8).gaps.cases == 2


def test_a_day_that_nobody_looked_at_is_no_case():
    seen, blind = played((0.5, WEB), until=1), played((0.5, WEB), until=1)
    blind.blind(MIDNIGHT + 2.2 * DAY_S, MIDNIGHT + 4.1 * DAY_S)
    for book in (seen, blind):
        book.advance(MIDNIGHT + 6 * DAY_S)
    assert row(seen, WEB, 6).gaps.cases == 5
    assert row(blind, WEB, 6).gaps.cases == 3


def test_the_better_one_is_used():
    rhythm = played(*((day + 0.5, WEB) for day in range(0, 60, 3)), until=60)
    found = row(rhythm, WEB, 60)
    assert found.used is RiskWay.GAPS
    assert found.gaps.brier < found.frequency.brier
    assert found.probability == found.by_gaps
    # a curve that happens to fit: a daily event of which the norm knows
    random = Random(5)
    steady = played(
        *((day + random.random(), WEB) for day in range(60) for _ in range(1 + (day % 2))),
        until=60, book=RiskBook(Curve(k=1000.0, norm=0.1)),
    )  # fmt: skip
    assert row(steady, WEB, 60).used is RiskWay.FREQUENCY


def test_a_component_is_at_least_as_likely_as_each_of_its_problems():
    whole = RiskKey(of=RiskOf.COMPONENT, subject=WEB.subject)
    other = RiskKey(of=RiskOf.PROBLEM, subject=WEB.subject, name="high_latency http")
    both = [(float(day), key) for day in range(1, 29, 7) for key in (WEB, whole)]
    both += [(float(day), key) for day in (3, 11, 12, 20) for key in (other, whole)]
    book = played(*both, until=28)
    for day in range(28, 36):
        one, second, together = (row(book, key, day).by_gaps for key in (WEB, other, whole))
        assert together == pytest.approx(1 - (1 - one) * (1 - second))


def test_a_clock_that_was_years_behind_is_forgotten():
    book = played((0.5, WEB), until=1)
    book.advance(MIDNIGHT + 5000 * DAY_S)
    assert book.rows(MIDNIGHT + 5000 * DAY_S) == ()
    book.begins(DISK, MIDNIGHT + 5000.5 * DAY_S)
    assert row(book, DISK, 5001).count == 1


def test_a_replay_gives_the_same_book():
    happenings = [(Random(3).random() * 30, WEB) for _ in range(5)] + [(day, DISK) for day in range(5)]
    reports = [played(*happenings, until=30).report(MIDNIGHT + 30 * DAY_S) for _ in range(2)]
    assert reports[0] == reports[1]


def test_keys_are_bounded_and_the_oldest_goes():
    book = RiskBook()
    for number in range(MOST_KEYS + 10):
        book.begins(RiskKey(of=RiskOf.COMPONENT, subject=Subject(f"service:{number}")), MIDNIGHT + number)
    rows = book.rows(MIDNIGHT + DAY_S)
    assert len(rows) == MOST_KEYS
    assert not {"service:0", "service:9"} & {each.key.subject for each in rows}


def test_bad_times_are_counted_and_harm_nothing():
    book = played((0.5, WEB), until=2)
    for at in (math.nan, math.inf, -math.inf, MIDNIGHT * 1e6):
        book.begins(WEB, at)
    assert book.odd == 4
    assert row(book, WEB, 2).count == 1
    book.begins(WEB, MIDNIGHT)  # the clock was set back: as of the moment that was reached
    assert book.odd == 5
    assert row(book, WEB, 2).last_at == MIDNIGHT + 2 * DAY_S
    book.blind(math.nan, math.inf)
    book.advance(MIDNIGHT + 3 * DAY_S)


TIMES = st.one_of(st.floats(), st.floats(0.0, 2e9), st.floats(MIDNIGHT, MIDNIGHT + 40 * DAY_S))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["begins", "ends", "advance"]), st.sampled_from([WEB, DISK]), TIMES)))
def test_whatever_comes_the_figures_are_probabilities(happenings):
    book = RiskBook()
    for what, key, at in happenings:
        if what == "advance":
            book.advance(at)
        else:
            getattr(book, what)(key, at)
    for each in book.rows(MIDNIGHT + 50 * DAY_S):
        assert 0.0 <= each.by_frequency <= 1.0
        assert 0.0 <= each.by_gaps <= 1.0
