"""Levels that a record speaks for, and the score of shadow mode."""

import pytest

from autonomyd.learn.trust import Record, proposed, same_deed, shadow_verdict
from autonomyd.model.diagnosis import Cause
from autonomyd.model.plan import Autonomy, Plan, Risk
from autonomyd.model.step import RestartService, SetProbeInterval, StartService, StopService
from autonomyd.model.trust import ShadowCase, ShadowVerdict

START, STOP, AGAIN = StartService(service="web"), StopService(service="web"), RestartService(service="web")


def plan(*steps, service="web"):
    return Plan(
        strategy="s", cause=Cause.PROCESS_GONE, steps=steps, confidence=99.0, risk=Risk.LOW, disruptive=False,
        reversible=True, service=service,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("level", "record", "result"),
    [
        (Autonomy.OBSERVE, Record(), Autonomy.SHADOW),
        (Autonomy.SHADOW, Record(), Autonomy.SHADOW),
        (Autonomy.SHADOW, Record(right=4, scored=4), Autonomy.SHADOW),
        (Autonomy.SHADOW, Record(right=4, scored=5), Autonomy.ASK),
        (Autonomy.SHADOW, Record(right=3, scored=5), Autonomy.SHADOW),
        (Autonomy.ASK, Record(total=4, healed=4, mean=0.97), Autonomy.ASK),
        (Autonomy.ASK, Record(total=5, healed=5, mean=0.98), Autonomy.ACT),
        (Autonomy.ASK, Record(total=9, healed=5, mean=0.6), Autonomy.ASK),
        (Autonomy.ASK, Record(total=9, healed=9), Autonomy.ASK),
        (Autonomy.ACT, Record(), Autonomy.ACT),
        (Autonomy.ACT, Record(total=9, healed=1, mean=0.2), Autonomy.ASK),
        (Autonomy.ASK, Record(total=9, healed=8, mean=0.9, fallen=Autonomy.ASK), Autonomy.ASK),
    ],
)
def test_the_level_that_a_record_speaks_for(level, record, result):
    answer, why = proposed(level, record)
    assert answer is result
    assert why


@pytest.mark.parametrize(
    ("now", "over", "by_person", "verdict"),
    [
        (50.0, False, True, ShadowVerdict.AGREED),
        (50.0, True, False, ShadowVerdict.UNNEEDED),
        (50.0, False, False, ShadowVerdict.PENDING),
        (100.0, False, False, ShadowVerdict.HELPFUL),
        (150.0, True, False, ShadowVerdict.HELPFUL),
    ],
)
def test_what_a_case_is_worth(now, over, by_person, verdict):
    case = ShadowCase(issue_id=1, at=0.0, until=100.0, plan=plan(START))
    assert shadow_verdict(case, now=now, over=over, same_by_person=by_person) is verdict


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (plan(START), plan(START), True),
        (plan(STOP, START), plan(AGAIN), True),
        (plan(START), plan(AGAIN), False),
        (plan(START), plan(START, service="db"), False),
        (plan(STOP), plan(STOP), True),
        (plan(SetProbeInterval(probe="x", before_s=1, after_s=2)),) * 2 + (False,),
    ],
)
def test_the_same_deed(one, other, same):
    assert same_deed(one, other) is same
