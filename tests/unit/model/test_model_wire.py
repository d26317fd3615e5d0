"""Every value of the vocabulary becomes JSON, and nothing in it breaks a JSON reader."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.model.diagnosis import Cause, Diagnosis, RankedCause
from autonomyd.model.facts import PauseFacts, Situation
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.goal import Goal, GoalPriority
from autonomyd.model.health import HealthStatus
from autonomyd.model.issue import Finding, Issue
from autonomyd.model.plan import Plan, Refusal
from autonomyd.model.status import HealthReport, LoopStatus, PauseStatus
from autonomyd.model.step import RestartService, SetProbeInterval, StepResult, StopService
from autonomyd.model.subject import HOST
from autonomyd.model.wire import plain

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(list(HealthStatus))
)
ANYTHING = st.recursive(
    SCALARS | st.binary(max_size=4) | st.sampled_from([HOST, GoalPriority.HIGH, PauseFacts(paused=True)]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.frozensets(SCALARS, max_size=4)
        | st.dictionaries(SCALARS, inner, max_size=4)
        | st.builds(lambda value: Goal(description="x", target_metrics={"a": value}), inner)
    ),
    max_leaves=12,
)
MODELS = st.one_of(
    *(st.from_type(each) for each in (Issue, Finding, Diagnosis, RankedCause, Fix, Plan, Refusal, Goal, Situation, HealthReport, LoopStatus))  # noqa: E501
)  # fmt: skip


def as_json(value):
    return json.loads(json.dumps(plain(value), allow_nan=False))


@given(value=ANYTHING)
def test_anything_becomes_json(value):
    assert as_json(value) == plain(value)


@given(value=MODELS)
def test_every_kind_of_value_becomes_an_object(value):
    assert isinstance(as_json(value), dict)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_has_no_word_for_is_null(number):
    assert plain(number) is None
    assert plain({"a": (number, 1.5)}) == {"a": [None, 1.5]}


def test_words_and_shapes():
    plan = Plan(
        strategy="kill-and-start", cause=Cause.PROCESS_HUNG, confidence=92.0, risk="high", disruptive=True, reversible=True,  # noqa: E501
        steps=(StopService(service="web", force=True), RestartService(service="web")),
    )  # fmt: skip
    fix = Fix(id=1, plan=plan, state=FixState.COMMITTED, actor="x", started_at=1.0, outcome=Outcome.HEALED)
    found = as_json(fix)
    assert (found["state"], found["outcome"], found["plan"]["cause"]) == ("committed", "healed", "process_hung")
    assert found["plan"]["steps"] == [
        {"step": "StopService", "service": "web", "force": True},
        {"step": "RestartService", "service": "web"},
    ]
    assert found["ended_at"] is None
    assert as_json(SetProbeInterval(probe="p", before_s=1.0, after_s=2.0))["step"] == "SetProbeInterval"
    assert "step" not in as_json(StepResult(ok=True, message="done"))
    assert plain(GoalPriority.CRITICAL) == 5


def test_status_reads_by_key_and_by_attribute():
    status = PauseStatus(paused=True, reason="release")
    assert status["reason"] == status.reason == "release"
    assert set(status.keys()) == {"paused", "until", "reason", "actor"}
    with pytest.raises(KeyError):
        status["keys"]
