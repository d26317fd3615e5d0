"""The two ways to say a risk: the logistic formula to its letter; the hazard on rhythms, chance, bursts, bad times."""

import math
import sys
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.analyze.risk.hazard import Hazard
from autonomyd.analyze.risk.logistic import MOST_TIMES, Curve, Frequency, risk
from autonomyd.analyze.risk.score import Score
from autonomyd.model.words import DAY_S

START = 1.7e9


def hazard(days):
    first, *others = days
    made = Hazard(START + first * DAY_S)
    for day in others:
        made.observe(START + day * DAY_S)
    return made


def within_a_day(made, day):
    return made.probability(START + day * DAY_S, DAY_S)


@pytest.mark.parametrize("frequency", [0.0, 0.3, 0.69, 1.0, 5.0])
@pytest.mark.parametrize("curve", [Curve(), Curve(k=1.0, norm=2.0), Curve(k=10.0, norm=0.1)])
def test_the_formula_to_the_letter(frequency, curve):
    assert risk(frequency, curve) == pytest.approx(1 / (1 + math.e ** (-curve.k * (frequency - curve.norm))))


def test_the_norm_is_a_half_and_extremes_are_no_error():
    assert risk(0.69, Curve()) == 0.5
    assert risk(1e308, Curve()) == 1.0
    assert risk(0.0, Curve(k=1000.0, norm=1000.0)) == pytest.approx(0.0)


def test_the_frequency_is_that_of_the_last_week():
    times = Frequency()
    for day in range(20):
        times.observe(START + day * DAY_S)
    now = START + 19 * DAY_S
    assert times.a_day(now) == pytest.approx(1.0)
    assert times.a_day(now + 30 * DAY_S) == 0.0


def test_a_storm_is_bounded():
    times = Frequency()
    for second in range(10_000):
        times.observe(START + second)
    assert times.a_day(START + 10_000) == pytest.approx(MOST_TIMES / 7)
    assert risk(times.a_day(START + 10_000), Curve()) > 0.999


def test_what_came_once_is_not_likely():
    assert within_a_day(hazard([0.0]), 5.0) < 0.15


def test_a_rhythm_is_seen():
    weekly = hazard(range(0, 50, 7))
    quiet = [within_a_day(weekly, 49 + day) for day in (1, 2, 3, 4)]
    assert max(quiet) < 0.05
    assert within_a_day(weekly, 49 + 6.4) > 0.7


def test_chance_has_no_memory():
    random = Random(7)
    day, days = 0.0, []
    for _ in range(60):
        day += random.expovariate(0.5)
        days.append(day)
    made = hazard(days)
    soon, later = within_a_day(made, day + 0.1), within_a_day(made, day + 3.0)
    assert soon == pytest.approx(1 - math.exp(-0.5), abs=0.12)
    assert later == pytest.approx(soon, abs=0.12)


def test_after_a_burst_it_calms_down():
    made = hazard([0.0, 10.0, 10.01, 10.02, 10.05, 10.06, 20.0, 20.01, 20.02, 20.04])
    right_after, days_later = within_a_day(made, 20.05), within_a_day(made, 23.0)
    assert right_after > 0.6
    assert days_later < 0.25


def test_what_has_stayed_away_is_believed_to_stay_away():
    made = hazard([day * 0.7 for day in range(40)])
    figures = [within_a_day(made, 28 + away) for away in (0.5, 5.0, 20.0, 60.0)]
    assert figures == sorted(figures, reverse=True)
    assert figures[0] > 0.6
    assert figures[-1] < 0.15


def test_it_takes_constant_memory():
    made = hazard(day / 10 for day in range(3000))
    parts = (made._powers, made._gaps, made._log_sum, made._last_d)
    assert sys.getsizeof(made) + sum(map(sys.getsizeof, parts)) < 1024


@given(
    st.lists(st.floats(0.0, 4000.0), min_size=1, max_size=40),
    st.floats(-10.0, 8000.0),
    st.floats(0.0, 1e7),
)
def test_whatever_the_times_it_is_a_probability(days, now, within_s):
    made = hazard(days)  # in any order, repeated
    assert 0.0 <= made.probability(START + now * DAY_S, within_s) <= 1.0


@given(st.lists(st.floats(0.01, 30.0), min_size=1, max_size=20), st.floats(0.0, 40.0))
def test_a_longer_time_ahead_is_never_less_likely(gaps, away):
    day, made = 0.0, Hazard(START)
    for gap in gaps:
        day += gap
        made.observe(START + day * DAY_S)
    now = START + (day + away) * DAY_S
    figures = [made.probability(now, span * DAY_S) for span in (0.0, 0.5, 1.0, 3.0, 10.0)]
    assert figures[0] == pytest.approx(0.0, abs=1e-9)
    assert all(one <= other + 1e-9 for one, other in pairwise(figures))


def test_scores():
    score = Score()
    assert (score.brier, score.log_loss, score.precision, score.recall) == (None, None, None, None)
    for said, happened in ((0.9, True), (0.8, False), (0.2, False), (0.1, True)):
        score.add(said, happened)
    assert score.brier == pytest.approx((0.01 + 0.64 + 0.04 + 0.81) / 4)
    assert score.log_loss == pytest.approx(-(math.log(0.9) + 2 * math.log(0.2) / 2 + math.log(0.8) + math.log(0.1)) / 4)
    assert (score.precision, score.recall) == (0.5, 0.5)


def test_one_wrong_certainty_is_not_the_end():
    score = Score()
    score.add(1.0, False)
    assert score.log_loss is not None
    assert score.log_loss < 14.0
