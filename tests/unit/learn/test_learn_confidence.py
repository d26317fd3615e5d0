"""Outcomes to confidence, by the worked examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.learn.confidence import ENOUGH_OUTCOMES, adjustment, learned_for
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Outcome
from autonomyd.testing import past_fix

GONE = Cause.PROCESS_GONE


@pytest.mark.parametrize(("base", "rate", "result"), [(70, 0.8, 76), (70, 0.85, 77), (70, 0.5, 70), (70, 0.0, 60)])
def test_the_worked_examples(base, rate, result):
    assert base + adjustment(rate) == pytest.approx(result)


@given(rate=st.floats(0, 1))
def test_it_adds_at_most_ten_points(rate):
    assert -10.0 <= adjustment(rate) <= 10.0


def fixes(healed, failed, **more):
    return [past_fix(**more) for _ in range(healed)] + [
        past_fix(outcome=Outcome.INEFFECTIVE, **more) for _ in range(failed)
    ]


def test_nothing_is_learned_from_too_little():
    assert learned_for(GONE, "web", fixes(ENOUGH_OUTCOMES - 1, 0)) == {}
    assert learned_for(GONE, "web", fixes(ENOUGH_OUTCOMES, 0)) == {"start": pytest.approx(10.0)}


def test_eight_of_ten_give_six_points():
    assert learned_for(GONE, "web", fixes(8, 2)) == {"start": pytest.approx(6.0)}


def test_what_could_not_be_verified_teaches_nothing():
    vague = [past_fix(outcome=outcome) for outcome in (Outcome.UNVERIFIED, None) for _ in range(50)]
    assert learned_for(GONE, "web", vague) == {}
    assert learned_for(GONE, "web", vague + fixes(5, 5)) == {"start": pytest.approx(0.0)}


@pytest.mark.parametrize("outcome", [Outcome.INEFFECTIVE, Outcome.ROLLED_BACK, Outcome.WORSENED])
def test_every_failure_counts(outcome):
    assert learned_for(GONE, "web", [past_fix(outcome=outcome)] * 5) == {"start": pytest.approx(-10.0)}


def test_other_services_causes_and_strategies_stay_apart():
    past = fixes(5, 0) + fixes(0, 5, service="db") + fixes(0, 5, cause=Cause.PROCESS_HUNG, strategy="restart")
    assert learned_for(GONE, "web", past) == {"start": pytest.approx(10.0)}
    assert learned_for(GONE, "db", past) == {"start": pytest.approx(-10.0)}
    assert learned_for(Cause.PROCESS_HUNG, "web", past) == {"restart": pytest.approx(-10.0)}
    assert learned_for(GONE, None, past) == {}
