"""Whatever the model can say comes back from JSON as it was."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.knowledge.decode import DecodeError, decode
from autonomyd.knowledge.rows import dump, load
from autonomyd.model.candidate import CandidateState, OptimizationCandidate, OptimizationType
from autonomyd.model.change import ABSENT, FileChange, FileKind, FileState
from autonomyd.model.diagnosis import Cause, Diagnosis, RankedCause
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.goal import Goal, GoalPriority, GoalState, GoalType
from autonomyd.model.health import Severity
from autonomyd.model.issue import Issue, IssueState, IssueType, Transition
from autonomyd.model.plan import GateName, GateResult, Plan, Refusal, RefusalReason, Risk
from autonomyd.model.status import PauseStatus
from autonomyd.model.step import (
    CallStrategy,
    RemoveFiles,
    RestartService,
    SetProbeInterval,
    StartService,
    StopService,
)
from autonomyd.model.wire import plain

TEXT = st.text(max_size=12)
WORDS = st.lists(TEXT, max_size=3).map(tuple)
REAL = st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.integers(min_value=0, max_value=2**53)
METRICS = st.dictionaries(TEXT, REAL, max_size=3)


def maybe(strategy):
    return st.none() | strategy


def some(kind):
    return st.sampled_from(list(kind))


STEPS = st.one_of(
    st.builds(StartService, service=TEXT),
    st.builds(StopService, service=TEXT, force=st.booleans()),
    st.builds(RestartService, service=TEXT),
    st.builds(RemoveFiles, root=TEXT, files=WORDS, total_bytes=WHOLE),
    st.builds(CallStrategy, name=TEXT),
    st.builds(SetProbeInterval, probe=TEXT, before_s=REAL, after_s=REAL),
)
GATES = st.lists(
    st.builds(GateResult, gate=some(GateName), passed=st.booleans(), saw=TEXT, needs=TEXT), max_size=3
).map(tuple)
TRANSITIONS = st.builds(Transition, at=REAL, before=TEXT, after=TEXT, cause=TEXT, actor=TEXT)
PLANS = st.builds(
    Plan,
    strategy=TEXT,
    cause=some(Cause),
    steps=st.lists(STEPS, max_size=4).map(tuple),
    confidence=REAL,
    risk=some(Risk),
    disruptive=st.booleans(),
    reversible=st.booleans(),
    service=maybe(TEXT),
    issue_id=maybe(WHOLE),
    preview=WORDS,
    gates=GATES,
)
REFUSALS = st.builds(
    Refusal,
    reason=some(RefusalReason),
    message=TEXT,
    gate=some(GateName),
    retry_at=maybe(REAL),
    park=st.booleans(),
    gates=GATES,
    strategy=maybe(TEXT),
)
DIAGNOSES = st.builds(
    Diagnosis,
    subject=TEXT,
    causes=st.lists(
        st.builds(RankedCause, cause=some(Cause), confidence=REAL, supports=WORDS, contradicts=WORDS), max_size=3
    ).map(tuple),
    signals=WORDS,
    certain=st.booleans(),
    note=TEXT,
)
FIXES = st.builds(
    Fix,
    id=WHOLE,
    plan=PLANS,
    state=some(FixState),
    actor=TEXT,
    started_at=REAL,
    ended_at=maybe(REAL),
    outcome=maybe(some(Outcome)),
    message=TEXT,
    transitions=st.lists(TRANSITIONS, max_size=3).map(tuple),
)
ISSUES = st.builds(
    Issue,
    id=WHOLE,
    type=some(IssueType),
    subject=TEXT,
    metric=TEXT,
    severity=some(Severity),
    state=some(IssueState),
    summary=TEXT,
    opened_at=REAL,
    updated_at=REAL,
    resolved_at=maybe(REAL),
    occurrences=WHOLE,
    evidence=WORDS,
    value=maybe(REAL),
    threshold=maybe(REAL),
    certain=st.booleans(),
    attempts=WHOLE,
    next_try_at=maybe(REAL),
)
GOALS = st.builds(
    Goal,
    description=TEXT,
    priority=some(GoalPriority),
    target_metrics=METRICS,
    actions=WORDS,
    type=some(GoalType),
    id=WHOLE,
    key=TEXT,
    state=some(GoalState),
    baseline=METRICS,
    progress=maybe(REAL),
    created_at=REAL,
    updated_at=REAL,
    result=TEXT,
)
CANDIDATES = st.builds(
    OptimizationCandidate,
    component=TEXT,
    optimization_type=some(OptimizationType) | TEXT,
    current_metric=REAL,
    expected_improvement=REAL,
    cost=REAL,
    confidence=REAL,
    id=WHOLE,
    step=maybe(STEPS),
    state=some(CandidateState),
    created_at=REAL,
    updated_at=REAL,
    measured_metric=maybe(REAL),
    message=TEXT,
)
PAUSES = st.builds(PauseStatus, paused=st.booleans(), until=maybe(REAL), reason=TEXT, actor=TEXT)


@given(st.one_of(PLANS, REFUSALS, DIAGNOSES, FIXES, ISSUES, GOALS, CANDIDATES, PAUSES, TRANSITIONS))
def test_every_value_comes_back_as_it_was(value):
    again = load(type(value), dump(value))
    assert again == value
    assert type(again) is type(value)
    assert plain(again) == plain(value)


@given(PLANS)
def test_steps_keep_their_kind(plan):
    again = decode(Plan, plain(plan))
    assert [type(step) for step in again.steps] == [type(step) for step in plan.steps]


def test_enums_come_back_as_enums():
    goal = Goal(description="x", priority=GoalPriority.HIGH)
    assert decode(Goal, plain(goal)).priority is GoalPriority.HIGH
    candidate = OptimizationCandidate(
        component="a",
        optimization_type="slow_probe",
        current_metric=1.0,
        expected_improvement=0.5,
        cost=1.0,
        confidence=0.9,
    )
    assert decode(OptimizationCandidate, plain(candidate)).optimization_type is OptimizationType.SLOW_PROBE


def test_a_number_that_json_cannot_say_comes_back_as_not_a_number():
    step = SetProbeInterval(probe="p", before_s=math.inf, after_s=1.0)
    assert math.isnan(decode(SetProbeInterval, plain(step)).before_s)


def test_unknown_keys_are_passed_over_and_missing_ones_take_the_default():
    value = plain(Transition(at=1.0, before="a", after="b", cause="c", actor="d")) | {"later": 1}
    assert decode(Transition, value).actor == "d"
    assert decode(Goal, {"description": "x"}) == Goal(description="x")


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"at": "noon", "before": "a", "after": "b", "cause": "c", "actor": "d"},
        {"at": 1.0, "before": 5, "after": "b", "cause": "c", "actor": "d"},
    ],
)
def test_what_is_not_the_value_is_refused(value):
    with pytest.raises(DecodeError):
        decode(Transition, value)


def test_an_unknown_step_or_state_is_refused():
    body = json.loads(dump(Plan(
        strategy="s", cause=Cause.CUSTOM, steps=(StartService(service="a"),), confidence=1.0,
        risk=Risk.LOW, disruptive=False, reversible=True,
    )))  # fmt: skip
    body["steps"][0]["step"] = "FlyToTheMoon"
    with pytest.raises(DecodeError):
        decode(Plan, body)
    with pytest.raises(DecodeError):
        load(Plan, "{torn")


def test_a_single_kind_of_object_that_may_be_missing_needs_no_word_for_its_kind():
    state = FileState(kind=FileKind.FILE, sha256="a" * 64, mode=0o640, xattrs={"user.x": "eA=="})
    for after in (None, ABSENT, state):
        change = FileChange(path="/etc/x", before=state, after=after)
        assert load(FileChange, dump(change)) == change
