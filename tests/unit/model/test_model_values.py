"""Small rules of the vocabulary."""

import pytest

from autonomyd.model.candidate import OptimizationCandidate, OptimizationType
from autonomyd.model.diagnosis import Diagnosis
from autonomyd.model.fix import UNFINISHED_FIX_STATES, FixState
from autonomyd.model.issue import IssueState
from autonomyd.model.reading import Reading, ReadingState
from autonomyd.model.subject import HOST, Subject, service_of, service_subject
from autonomyd.testing import ManualClock, diagnosis, issue


@pytest.mark.parametrize(
    ("subject", "name"), [("service:web", "web"), ("service:a:b", "a:b"), ("host", None), ("disk:/", None)]
)
def test_the_service_of_a_subject(subject, name):
    assert service_of(Subject(subject)) == name
    if name is not None:
        assert service_subject(name) == subject


def test_a_score_is_improvement_by_cost_times_confidence():
    candidate = OptimizationCandidate(
        component="p", optimization_type=OptimizationType.SLOW_PROBE, current_metric=1.0,
        expected_improvement=0.6, cost=2.0, confidence=0.5,
    )  # fmt: skip
    assert candidate.score == pytest.approx(0.15)


def test_an_undetermined_diagnosis_has_no_cause():
    assert Diagnosis(subject=HOST).cause is None
    assert diagnosis().cause is diagnosis().causes[0] or diagnosis().cause == diagnosis().causes[0]


def test_only_ended_fixes_are_finished():
    ended = {FixState.COMMITTED, FixState.ROLLED_BACK, FixState.ROLLBACK_FAILED}
    assert set(FixState) - UNFINISHED_FIX_STATES == ended


def test_an_issue_is_open_until_it_is_resolved():
    assert [state for state in IssueState if not issue(state=state).is_open] == [IssueState.RESOLVED]


def test_the_samples_of_a_reading():
    reading = Reading(probe="p", subject=HOST, state=ReadingState.OK, at=5.0, values={"cpu": 1.0, "load": 2.0})
    assert [(sample.metric, sample.value, sample.unit, sample.at) for sample in reading.samples({"cpu": "%"})] == [
        ("cpu", 1.0, "%", 5.0),
        ("load", 2.0, "", 5.0),
    ]


def test_the_clock_of_the_test_kit():
    clock = ManualClock(monotonic=5.0, wall=100.0)
    clock.advance(2.5)
    clock.set_wall(1.0)
    clock.advance(1.0)
    assert (clock.monotonic(), clock.wall()) == (8.5, 2.0)
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1.0)
