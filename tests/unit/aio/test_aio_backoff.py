"""Waits grow by the factor up to the cap, spread by the jitter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.aio.backoff import Backoff


@pytest.mark.parametrize(("attempt", "delay_s"), [(0, 1.0), (1, 2.0), (2, 4.0), (5, 32.0), (6, 60.0), (10_000, 60.0)])
def test_it_doubles_up_to_the_cap(attempt, delay_s):
    assert Backoff(first_s=1.0, cap_s=60.0).delay_s(attempt) == delay_s


@pytest.mark.parametrize(("luck", "delay_s"), [(0.0, 9.0), (0.5, 10.0), (1.0, 11.0)])
def test_luck_spreads_it_by_the_jitter(luck, delay_s):
    assert Backoff(first_s=10.0, cap_s=60.0, jitter=0.1).delay_s(0, luck=luck) == pytest.approx(delay_s)


@given(attempt=st.integers(0, 10**6), luck=st.floats(0, 1), jitter=st.floats(0, 1))
def test_it_is_never_negative_and_never_beyond_the_spread_cap(attempt, luck, jitter):
    delay_s = Backoff(first_s=0.5, cap_s=60.0, jitter=jitter).delay_s(attempt, luck=luck)
    assert 0.0 <= delay_s <= 60.0 * (1.0 + jitter)
