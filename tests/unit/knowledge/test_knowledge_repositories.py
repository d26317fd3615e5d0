"""Each noun goes in and comes back out of a store in memory."""

from dataclasses import replace

import pytest

from autonomyd.knowledge.candidates import Candidates
from autonomyd.knowledge.errors import StoreUnavailable
from autonomyd.knowledge.events import Events
from autonomyd.knowledge.fixes import Fixes
from autonomyd.knowledge.goals import Goals
from autonomyd.knowledge.issues import Issues
from autonomyd.knowledge.outbox import Outbox
from autonomyd.knowledge.states import PAUSE, States
from autonomyd.knowledge.write import Write
from autonomyd.model.alert import Alert, AlertState, Message, MessageState, NoticeKind
from autonomyd.model.candidate import CandidateState, OptimizationCandidate, OptimizationType
from autonomyd.model.diagnosis import Cause, Diagnosis, RankedCause
from autonomyd.model.event import Event
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.goal import Goal, GoalPriority, GoalState
from autonomyd.model.health import Severity
from autonomyd.model.issue import Issue, IssueState, IssueType, Transition
from autonomyd.model.plan import GateName, GateResult, Plan, Refusal, RefusalReason, Risk
from autonomyd.model.service import Intent
from autonomyd.model.status import PauseStatus
from autonomyd.model.step import RestartService, SetProbeInterval
from autonomyd.model.subject import HOST, Subject, service_subject


def issue(number: int = 1, **changes) -> Issue:
    base = Issue(
        id=number,
        type=IssueType.SERVICE_DOWN,
        subject=service_subject("web"),
        metric="up",
        severity=Severity.CRITICAL,
        state=IssueState.OPEN,
        summary="web does not run",
        opened_at=10.0,
        updated_at=11.0,
        evidence=("exited with code 1",),
        value=0.0,
        certain=True,
    )
    return replace(base, **changes)


def moved(at: float, before: str, after: str) -> Transition:
    return Transition(at=at, before=before, after=after, cause="because", actor="autonomyd")


def fix(number: int = 1, **changes) -> Fix:
    plan = Plan(
        strategy="restart",
        cause=Cause.PROCESS_GONE,
        steps=(RestartService(service="web"),),
        confidence=90.0,
        risk=Risk.LOW,
        disruptive=True,
        reversible=True,
        service="web",
        issue_id=1,
        gates=(GateResult(gate=GateName.PAUSED, passed=True, saw="no", needs="no"),),
    )
    base = Fix(id=number, plan=plan, state=FixState.PLANNED, actor="autonomyd", started_at=12.0)
    return replace(base, **changes)


async def test_issue_with_its_transitions_in_order(store):
    issues = Issues(store)
    await issues.save(issue(), moved(1.0, "", "open"))
    later = issue(state=IssueState.FIXING, attempts=2)
    await issues.save(later, moved(1.0, "open", "fixing"), moved(1.0, "fixing", "open"), moved(1.0, "open", "fixing"))
    assert await issues.get(1) == later
    assert [each.after for each in await issues.transitions(1)] == ["open", "fixing", "open", "fixing"]
    assert await issues.open() == [later]
    assert await issues.get(2) is None


async def test_issues_open_recent_and_counts(store):
    issues = Issues(store)
    for number in (1, 2, 3):
        await issues.save(issue(number, subject=Subject(f"service:{number}")))
    await issues.save(issue(2, subject=Subject("service:2"), state=IssueState.RESOLVED, resolved_at=20.0))
    assert [each.id for each in await issues.open()] == [1, 3]
    assert [each.id for each in await issues.recent(limit=2)] == [3, 2]
    assert [each.id for each in await issues.recent(subject=Subject("service:1"))] == [1]
    counts = await issues.counts()
    assert (counts.open, counts.resolved) == (2, 1)


async def test_decisions_keep_twenty_and_the_newest_of_each_kind(store):
    issues = Issues(store)
    diagnosis = Diagnosis(
        subject=HOST, causes=(RankedCause(cause=Cause.PROCESS_GONE, confidence=99.0, supports=("gone",)),)
    )
    await issues.decide(1, diagnosis, at=1.0)
    await issues.decide(1, fix().plan, at=2.0)
    refusals = [
        Refusal(reason=RefusalReason.COOLDOWN, message=str(n), gate=GateName.COOLDOWN, retry_at=float(n))
        for n in range(30)
    ]
    for n, refusal in enumerate(refusals):
        await issues.decide(1, refusal, at=3.0 + n)
    await issues.decide(2, refusals[0], at=99.0)
    kept = [each.value for each in await issues.decisions(1)]
    assert kept == [diagnosis, fix().plan, *refusals[-20:]]
    assert [each.value for each in await issues.newest(1)] == [diagnosis, fix().plan, refusals[-1]]
    assert len(await issues.decisions(2)) == 1


async def test_fix_grows_through_its_states(store):
    fixes = Fixes(store)
    steps = (moved(1.0, "", "planned"), moved(1.0, "planned", "applying"), moved(2.0, "applying", "committed"))
    await fixes.save(fix(transitions=steps[:1]))
    await fixes.save(fix(state=FixState.APPLYING, transitions=steps[:2]))
    assert await fixes.unfinished() == [fix(state=FixState.APPLYING, transitions=steps[:2])]
    done = fix(state=FixState.COMMITTED, transitions=steps, ended_at=5.0, outcome=Outcome.HEALED, message="up")
    await fixes.save(done)
    assert await fixes.unfinished() == []
    assert await fixes.get(1) == done
    assert await fixes.last() == done
    await fixes.save(fix(2, state=FixState.ROLLED_BACK, outcome=Outcome.ROLLED_BACK))
    await fixes.save(fix(3))
    assert [each.id for each in await fixes.recent()] == [3, 2, 1]
    assert [each.id for each in await fixes.of_issue(1)] == [1, 2, 3]
    counts = await fixes.counts()
    assert counts.total == 3
    assert counts.outcomes == {Outcome.HEALED: 1, Outcome.ROLLED_BACK: 1}


async def test_another_repository_goes_on_with_a_fix(store):
    first, second = moved(1.0, "", "planned"), moved(2.0, "planned", "applying")
    await Fixes(store).save(fix(transitions=(first,)))
    await Fixes(store).save(fix(state=FixState.APPLYING, transitions=(first, second)))
    found = await Fixes(store).get(1)
    assert found is not None
    assert found.transitions == (first, second)


async def test_goals_by_priority_and_counts(store):
    goals = Goals(store)
    low = Goal(id=1, description="a", priority=GoalPriority.LOW, created_at=1.0, target_metrics={"cpu.percent": 50.0})
    high = Goal(id=2, description="b", priority=GoalPriority.CRITICAL, created_at=2.0)
    done = Goal(id=3, description="c", state=GoalState.COMPLETED, progress=1.0)
    for goal in (low, high, done):
        await goals.save(goal)
    assert await goals.unfinished() == [high, low]
    assert await goals.recent(limit=1) == [done]
    assert await goals.get(1) == low
    counts = await goals.counts()
    assert counts[GoalState.PENDING] == 2
    assert counts[GoalState.FAILED] == 0


async def test_candidates(store):
    candidates = Candidates(store)
    first = OptimizationCandidate(
        id=1,
        component="probe:http",
        optimization_type=OptimizationType.PROBE_INTERVAL,
        current_metric=1.0,
        expected_improvement=0.5,
        cost=1.0,
        confidence=0.9,
        step=SetProbeInterval(probe="http", before_s=5.0, after_s=10.0),
    )
    second = replace(first, id=2, state=CandidateState.ROLLED_BACK, optimization_type="mine")
    await candidates.save(first)
    await candidates.save(second, durable=True)
    assert await candidates.unsettled() == [first]
    assert await candidates.recent() == [second, first]
    assert await candidates.get(2) == second
    assert (await candidates.counts())[CandidateState.ROLLED_BACK] == 1


async def test_events_newest_first(store):
    events = Events(store)
    told = [Event(at=float(n), kind="k", subject=Subject(f"service:{n % 2}"), message=str(n)) for n in range(6)]
    await events.add(*told)
    assert await events.recent(limit=2) == [told[5], told[4]]
    assert await events.recent(since=3.0, subject=Subject("service:1")) == [told[5], told[3]]


async def test_states_pause_and_intents(store, clock):
    states = States(store, clock=clock)
    assert await states.pause() == PauseStatus(paused=False)
    paused = PauseStatus(paused=True, until=5.0, reason="work", actor="uid=0 pid=1")
    await states.set_pause(paused)
    assert await states.pause() == paused
    await states.set_intent("web", Intent.STOPPED)
    await states.set_intent("db", Intent.STARTED)
    assert await states.intents() == {"web": Intent.STOPPED, "db": Intent.STARTED}
    await states.put("learned:restart", {"healed": 3})
    assert await states.get("learned:restart") == {"healed": 3}
    assert await states.get("nothing", 7) == 7
    await states.remove("learned:restart")
    assert await states.items("learned:") == {}
    await states.put(PAUSE, "nonsense")
    assert (await states.pause()).paused


async def test_a_state_that_cannot_be_read_hides_no_other_and_keeps_a_service_stopped(store, clock):
    states = States(store, clock=clock)
    await states.put("learned:a", 1)
    await states.set_intent("web", Intent.STARTED)
    await states.set_intent("api", Intent.STARTED)
    await states.put("intent:odd", ["no word"])
    for key in ("learned:b", "intent:db"):
        await store.put(Write(query="put_state", params={"key": key, "at": 1.0, "body": "{"}))
    assert await states.items("learned:") == {"learned:a": 1}
    assert await states.get("learned:b", 7) == 7
    assert await states.intents() == {
        "web": Intent.STARTED,
        "api": Intent.STARTED,
        "db": Intent.STOPPED,
        "odd": Intent.STOPPED,
    }


async def test_ids_go_up_and_are_not_given_twice(store):
    issues = Issues(store)
    assert [issues.next_id(), issues.next_id(), Fixes(store).next_id()] == [1, 2, 1]


async def test_a_value_that_cannot_be_read_hides_no_other(store):
    issues = Issues(store)
    await issues.save(issue(1))
    await issues.save(issue(2))
    params = {"id": 1, "type": "x", "subject": "s", "metric": "m", "severity": "w", "state": "open",
              "opened_at": 1.0, "updated_at": 1.0, "resolved_at": None, "body": "{}"}  # fmt: skip
    await store.put(Write(query="upsert_issue", params=params))
    assert await issues.open() == [issue(2)]


async def test_names_with_undecodable_bytes_come_back(store):
    odd = issue(subject=Subject("disk:/mnt/\udcff"), summary="na\udcc3me", evidence=("\udc80",))
    await Issues(store).save(odd, moved(1.0, "\udcff", "open"))
    assert await Issues(store).get(1) == odd
    assert (await Issues(store).transitions(1))[0].before == "?"


async def test_a_wrong_write_is_refused_alone(store, clock):
    states = States(store, clock=clock)
    await states.put("a", 1)
    await store.put(Write(query="put_state", params={"key": None, "at": 1.0, "body": "1"}))
    await store.put(Write(query="put_state", params={"key": "no body"}))
    await store.put(Write(query="put_state", params={"key": "huge", "at": 1.0, "body": 2**70}))
    await states.put("b", 2)
    assert await states.items("") == {"a": 1, "b": 2}
    assert store.status().state == "ok"
    assert "3 writes were refused" in store.status().message
    with pytest.raises(KeyError):
        await store.put(Write(query="no_such_statement", params={}))


async def test_after_close_nothing_is_taken(store):
    await store.close()
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.put(Write(query="remove_state", params={"key": "a"}))
    with pytest.raises(StoreUnavailable):
        await store.fetch("open_issues")
    await store.maintain()


def alert(number: int, **changes) -> Alert:
    base = Alert(
        id=number,
        key=f"service:web|{number}",
        subject=service_subject("web"),
        cause="process_gone",
        severity=Severity.CRITICAL,
        summary="web is down",
        state=AlertState.OPEN,
        opened_at=1.0,
        updated_at=1.0,
        issues=(12, 13),
        reasons=("restart_limit",),
    )
    return replace(base, **changes)


def message(number: int, **changes) -> Message:
    base = Message(
        id=number,
        alert_id=1,
        kind=NoticeKind.OPENED,
        target="team",
        severity=Severity.CRITICAL,
        title="web is down",
        body="text",
        created_at=1.0,
        due_at=1.0,
    )
    return replace(base, **changes)


async def test_alerts_and_messages_come_back(store):
    outbox = Outbox(store)
    over = alert(2, state=AlertState.RECOVERED, updated_at=50.0, recovered_at=50.0)
    await outbox.save(alert(1), over, message(1), message(2, target="log"), message(3, alert_id=2), durable=True)
    assert await outbox.to_go_on_with(since=40.0) == [alert(1), over]
    assert await outbox.to_go_on_with(since=60.0) == [alert(1)]
    assert await outbox.alerts(limit=1) == [over]
    await outbox.save(message(1, state=MessageState.SENT), message(2, target="log", state=MessageState.DROPPED))
    assert await outbox.waiting() == [message(3, alert_id=2)]
    assert await outbox.told(1) == {"team"}
    assert [each.id for each in await outbox.messages(limit=2)] == [3, 2]
    assert (store.next_id("alert"), store.next_id("message")) == (1, 1)
