"""Predictions go in and come back out; what they are made of and judged by is read in its order."""

from dataclasses import replace

from autonomyd.knowledge.events import Events
from autonomyd.knowledge.fixes import Fixes
from autonomyd.knowledge.issues import Issues
from autonomyd.knowledge.predictions import Predictions
from autonomyd.model.diagnosis import Cause
from autonomyd.model.event import Event
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.issue import IssueState, IssueType
from autonomyd.model.plan import Plan, Risk
from autonomyd.model.prediction import Prediction, PredictionKind, Verdict
from autonomyd.model.subject import HOST, service_subject
from autonomyd.testing import issue

WEB = service_subject("web")
FAILURE = Prediction(
    id=3, made_at=10.0, kind=PredictionKind.FAILURE, subject=WEB, metric="process", words="w", probability=0.8,
    from_at=10.0, until_at=20.0, type=IssueType.SERVICE_DOWN,
)  # fmt: skip


async def test_a_prediction_comes_back_as_it_was(store):
    predictions = Predictions(store)
    fills = replace(FAILURE, id=4, kind=PredictionKind.EXHAUSTION, type=None, bound=100.0, rising=False)
    await predictions.save(FAILURE)
    await predictions.save(fills)
    assert await predictions.recent() == [FAILURE, fills]
    assert await predictions.pending() == [FAILURE, fills]
    judged = replace(FAILURE, verdict=Verdict.RIGHT, judged_at=15.0, came_at=14.0, why="it came")
    await predictions.save(judged)
    assert await predictions.recent() == [judged, fills]
    assert await predictions.pending() == [fills]
    assert await predictions.recent(limit=1) == [fills]
    assert store.next_id("prediction") == 1, "numbers are given by the store, and these came from elsewhere"


async def test_openings_are_read_once_each(store):
    issues, predictions = Issues(store), Predictions(store)
    await issues.save(issue(id=1))
    await issues.save(issue(id=2, state=IssueState.RESOLVED, resolved_at=5.0))
    first, second = await predictions.openings(0)
    assert (first.id, first.type, first.subject, first.metric, first.resolved_at) == (
        1,
        "service_down",
        WEB,
        "process",
        None,
    )
    assert second.resolved_at == 5.0
    assert await predictions.openings(2) == []


async def test_acts_tell_their_service_and_what_they_were_about(store):
    plan = Plan(
        strategy="restart", cause=Cause.PROCESS_HUNG, steps=(), confidence=90.0, risk=Risk.LOW, disruptive=True,
        reversible=True, service="web", issue_id=1,
    )  # fmt: skip
    fix = Fix(
        id=1,
        plan=plan,
        state=FixState.COMMITTED,
        actor="autonomyd",
        started_at=1.0,
        ended_at=2.0,
        outcome=Outcome.HEALED,
    )
    await Issues(store).save(issue(id=1, service="other"))
    await Fixes(store).save(fix)
    await Fixes(store).save(replace(fix, id=2, plan=replace(plan, issue_id=None), actor="uid=0", ended_at=3.0))
    await Fixes(store).save(replace(fix, id=3, ended_at=None, outcome=None, state=FixState.APPLYING))
    predictions = Predictions(store)
    one, two = await predictions.acts(0.0)
    assert (one.at, one.service, one.strategy, one.subject) == (2.0, "web", "restart", "service:other")
    assert (two.actor, two.subject) == ("uid=0", "")
    assert await predictions.acts(3.0) == []


async def test_marks_leave_out_the_rest_of_the_diary(store):
    events = Events(store)
    kinds = (
        "daemon_started",
        "issue_opened",
        "log_pattern",
        "service_stopped_outside",
        "service_state",
        "daemon_stopped",
    )
    await events.add(*(Event(at=float(at), kind=kind, subject=HOST, message="m") for at, kind in enumerate(kinds)))
    marks = await Predictions(store).marks(0)
    assert [each.kind for each in marks] == [
        "daemon_started",
        "log_pattern",
        "service_stopped_outside",
        "daemon_stopped",
    ]
    assert [each.before_at for each in marks] == [0.0, 1.0, 2.0, 4.0]
    assert await Predictions(store).marks(marks[-1].seq) == []
