"""The dash: fast growth onto new ground is seen within a dozen samples; what is not steady, or not new, is not."""

import math
import random

import pytest

from autonomyd.analyze.forecast.dash import APART_S, KEPT, Dash
from autonomyd.analyze.forecast.ladder import DAY_S

AT = 1.7e9


def run(values, every_s=10.0, dash=None, begin=AT):
    """(the dash, the first rush to 100, how many samples that took)."""
    dash = dash or Dash()
    for index, value in enumerate(values):
        dash.add(begin + index * every_s, value)
        found = dash.rush(100.0)
        if found is not None:
            return dash, found, index
    return dash, None, None


@pytest.mark.parametrize("fills_s", [120.0, 180.0, 300.0, 600.0])
def test_a_first_and_fast_fill_is_told_in_time(fills_s):
    rng = random.Random(1)
    a_sample = 70.0 * 10.0 / fills_s
    fill = [20.0 + a_sample * index + rng.gauss(0.0, 0.1) for index in range(round(fills_s / 10.0))]
    _, found, index = run([20.0] * 10 + fill)
    left_s = fills_s + 100.0 / 7.0 * fills_s / 100.0 - 10.0 * (index - 10)
    assert index - 10 <= 18
    assert found.soonest_s < left_s < found.latest_s
    assert found.left_s == pytest.approx(left_s, rel=0.15)


@pytest.mark.parametrize(
    "values",
    [
        [20.0] * 12 + [60.0] * 12,
        [20.0] * 12 + [20.0 + 5.0 * (index // 4) for index in range(30)],
        [20.0] * 12 + [20.0 + 0.2 * index for index in range(60)],
        [20.0 + 4.0 * index for index in range(9)],
        [90.0 - 3.0 * index for index in range(20)],
    ],
    ids=["one step", "stairs", "slow", "nothing known before", "falling"],
)
def test_what_is_no_dash_is_not_told(values):
    assert run(values)[1] is None


def test_where_it_has_been_within_a_week_is_no_new_ground():
    tooth = [20.0 + 3.0 * index for index in range(20)] + [20.0] * 20
    dash, found, _ = run([20.0] * 10 + tooth[:5])
    assert found is None
    for index, value in enumerate(tooth * 3):
        dash.add(AT + 1000.0 + index * 10.0, value)
    for day in range(6):
        begin = AT + DAY_S * (day + 1)
        assert run([20.0] * 20 + tooth, dash=dash, begin=begin)[1] is None
    later = run(
        [20.0] * KEPT + tooth, dash=run([20.0] * KEPT, begin=AT + 20 * DAY_S, dash=dash)[0], begin=AT + 30 * DAY_S
    )
    assert later[1] is not None


def test_samples_that_come_too_fast_are_left_out():
    assert run([20.0] * 40 + [20.0 + index for index in range(60)], every_s=APART_S / 10.0)[1] is None


def test_a_clock_that_was_set_back_begins_anew():
    dash, _, _ = run([20.0] * 10)
    assert run([20.0] * 10 + [20.0 + 4.0 * index for index in range(12)], dash=dash, begin=AT - DAY_S)[1] is not None


@pytest.mark.parametrize("bound", [0.0, -5.0, 1e-300])
def test_a_bound_that_is_none_is_not_rushed_to(bound):
    dash = Dash()
    for index in range(40):
        dash.add(AT + index * 10.0, float(index))
    assert dash.rush(bound) is None


def test_it_keeps_little():
    dash = Dash()
    for index in range(1000):
        dash.add(AT + index * 10.0, math.sin(index))
    assert len(dash._at) == KEPT
