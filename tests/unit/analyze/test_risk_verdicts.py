"""Right, wrong, or void: a prevented failure is not a wrong prediction."""

from dataclasses import replace

import pytest

from autonomyd.analyze.risk.verdicts import Deed, Problem, came, deed, foretold, means, settled
from autonomyd.model.issue import IssueType
from autonomyd.model.prediction import Prediction, PredictionKind, Verdict
from autonomyd.model.subject import HOST, Subject

WEB, VAR = Subject("service:web"), Subject("disk:/var")
FAILURE = Prediction(
    id=1, made_at=1000.0, kind=PredictionKind.FAILURE, subject=WEB, metric="process", words="w", probability=0.8,
    from_at=1000.0, until_at=2000.0, type=IssueType.SERVICE_DOWN,
)  # fmt: skip
FILLS = Prediction(
    id=2, made_at=1000.0, kind=PredictionKind.EXHAUSTION, subject=VAR, metric="disk.used_percent", words="w",
    probability=0.8, from_at=1500.0, until_at=2000.0, bound=100.0,
)  # fmt: skip
DOWN = Problem(at=1500.0, subject=WEB, type="service_down", metric="process")
RESTART = Deed(at=1400.0, subject=WEB, words="restart")


def test_what_a_prediction_means():
    assert means(FAILURE, DOWN)
    assert not means(FAILURE, replace(DOWN, metric="checks"))
    assert not means(FAILURE, replace(DOWN, subject=HOST))
    anything = replace(FAILURE, type=None, metric="")
    assert means(anything, replace(DOWN, type="high_latency", metric="http"))
    assert means(FILLS, Problem(at=1.0, subject=VAR, type="resource_exhaustion", metric="disk.used_percent"))


@pytest.mark.parametrize(
    ("at", "was"), [(999.0, False), (1000.0, False), (1000.1, True), (2000.0, True), (2001.0, False)]
)
def test_it_is_foretold_only_in_its_time(at, was):
    assert foretold(FAILURE, replace(DOWN, at=at)) is was


def test_what_came_in_its_time_was_right_and_too_soon_was_wrong():
    right = came(FAILURE, 1500.0, 1501.0)
    assert (right.verdict, right.came_at, right.judged_at) == (Verdict.RIGHT, 1500.0, 1501.0)
    assert came(FILLS, 1700.0, 1700.0).verdict is Verdict.RIGHT
    sooner = came(FILLS, 1200.0, 1200.0)
    assert (sooner.verdict, sooner.why) == (Verdict.WRONG, "it came 5 min sooner than the soonest that was said")


def test_it_waits_until_its_time_is_over_and_was_wrong_then():
    assert settled(FAILURE, 1999.0, deeds=(), blind=()) is FAILURE
    assert settled(FAILURE, 2000.0, deeds=(), blind=()).verdict is Verdict.WRONG


def test_a_deed_between_makes_it_void():
    judged = settled(FAILURE, 2000.0, deeds=(RESTART,), blind=())
    assert (judged.verdict, judged.why) == (Verdict.VOID, "restart came between")
    assert settled(FAILURE, 1500.0, deeds=(RESTART,), blind=()).pending, "it may still come"
    assert settled(FAILURE, 2000.0, deeds=(replace(RESTART, at=999.0),), blind=()).verdict is Verdict.WRONG


def test_what_fills_begins_anew_after_a_deed():
    cleaned = Deed(at=1100.0, subject=VAR, words="free-disk-space")
    assert settled(FILLS, 1200.0, deeds=(cleaned,), blind=()).verdict is Verdict.VOID


@pytest.mark.parametrize(
    ("blind", "verdict"),
    [(((1100.0, 1150.0),), Verdict.WRONG), (((1100.0, 1250.0),), Verdict.VOID), (((0.0, 999.0),), Verdict.WRONG)],
)
def test_too_long_a_gap_makes_it_void(blind, verdict):
    assert settled(FAILURE, 2000.0, deeds=(), blind=blind).verdict is verdict


def test_a_deed_is_about_its_service_and_its_issue():
    assert {each.subject for each in deed(1.0, "web", "service:web", "w")} == {WEB}
    assert {each.subject for each in deed(1.0, "web", VAR, "w")} == {WEB, VAR}
    assert [each.subject for each in deed(1.0, None, VAR, "w")] == [VAR]
    assert deed(1.0, None, "", "w") == ()
