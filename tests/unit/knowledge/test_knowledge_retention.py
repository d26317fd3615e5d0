"""What is over is forgotten in time; what is open stays; counts stay true; ids are not given twice."""

from dataclasses import replace

from autonomyd.knowledge.events import Events
from autonomyd.knowledge.fixes import Fixes
from autonomyd.knowledge.goals import Goals
from autonomyd.knowledge.issues import Issues
from autonomyd.knowledge.retention import DAY_S, Retention
from autonomyd.knowledge.store import Store
from autonomyd.model.diagnosis import Cause
from autonomyd.model.event import Event
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.goal import Goal, GoalState
from autonomyd.model.health import Severity
from autonomyd.model.issue import Issue, IssueState, IssueType, Transition
from autonomyd.model.plan import Plan, Risk
from autonomyd.model.subject import HOST

OLD = 1000.0
MOVED = Transition(at=OLD, before="", after="open", cause="c", actor="a")


def an_issue(number: int, state: IssueState, resolved_at: float | None) -> Issue:
    return Issue(
        id=number, type=IssueType.SERVICE_DOWN, subject=HOST, metric="m", severity=Severity.WARNING, state=state,
        summary="s", opened_at=OLD, updated_at=OLD, resolved_at=resolved_at,
    )  # fmt: skip


def a_fix(number: int, issue_id: int, state: FixState) -> Fix:
    plan = Plan(
        strategy="restart", cause=Cause.PROCESS_GONE, steps=(), confidence=90.0, risk=Risk.LOW,
        disruptive=True, reversible=True, issue_id=issue_id,
    )  # fmt: skip
    return Fix(id=number, plan=plan, state=state, actor="a", started_at=OLD, transitions=(MOVED,))


async def test_the_old_goes_and_the_unfinished_stays(clock):
    clock.now = OLD + 31 * DAY_S
    store = await Store.open(":memory:", clock=clock, retention=Retention(days=30.0, events=3))
    issues, fixes, goals, events = Issues(store), Fixes(store), Goals(store), Events(store)
    await issues.save(an_issue(1, IssueState.OPEN, None), MOVED)
    await issues.save(an_issue(2, IssueState.RESOLVED, clock.now - DAY_S), MOVED)
    await issues.save(an_issue(3, IssueState.PARKED, None), MOVED)
    await issues.save(an_issue(4, IssueState.RESOLVED, OLD), MOVED)
    await issues.decide(4, a_fix(1, 4, FixState.PLANNED).plan, at=OLD)
    await fixes.save(replace(a_fix(1, 4, FixState.COMMITTED), outcome=Outcome.HEALED, ended_at=OLD))
    await fixes.save(a_fix(2, 4, FixState.APPLYING))
    await fixes.save(a_fix(3, 1, FixState.ROLLBACK_FAILED))
    await fixes.save(a_fix(4, 4, FixState.ROLLED_BACK))
    await goals.save(Goal(id=1, description="d", state=GoalState.COMPLETED, updated_at=OLD))
    await goals.save(Goal(id=2, description="d", state=GoalState.PENDING, updated_at=OLD))
    await events.add(*(Event(at=OLD, kind=str(n), subject=HOST, message="") for n in range(9)))

    await store.maintain()

    assert [each.id for each in await issues.recent()] == [3, 2, 1]
    assert await issues.transitions(4) == ()
    assert await issues.decisions(4) == []
    assert len(await issues.transitions(1)) == 1
    # of an issue that is open every fix stays: the planner looks back at them
    assert [each.id for each in await fixes.recent()] == [3, 2]
    assert [each.id for each in await goals.recent()] == [2]
    assert [each.kind for each in await events.recent()] == ["8", "7", "6"]
    assert (await issues.counts()).resolved == 2
    assert (await fixes.counts()).total == 4
    assert (await fixes.counts()).outcomes == {Outcome.HEALED: 1}
    assert (await goals.counts())[GoalState.COMPLETED] == 1
    await store.close()


async def test_an_id_is_not_reused_after_its_row_is_gone(tmp_path, clock):
    path = str(tmp_path / "a.db")
    clock.now = OLD + 31 * DAY_S
    store = await Store.open(path, clock=clock, retention=Retention(days=30.0))
    await Issues(store).save(an_issue(7, IssueState.RESOLVED, OLD))
    await store.maintain()
    assert await Issues(store).get(7) is None
    await store.close()
    again = await Store.open(path, clock=clock)
    assert again.next_id("issue") == 8
    await again.close()


async def test_above_the_cap_the_oldest_goes_early(tmp_path, clock):
    retention = Retention(days=30.0, events=4000, max_bytes=300_000)
    path = tmp_path / "a.db"
    store = await Store.open(str(path), clock=clock, retention=retention)
    await Issues(store).save(an_issue(1, IssueState.OPEN, None))
    await Events(store).add(*(Event(at=clock.now, kind="k", subject=HOST, message="x" * 200) for _ in range(4000)))
    await store.maintain()
    left = await Events(store).recent(limit=9999)
    assert 0 < len(left) < 4000
    assert len(await Issues(store).open()) == 1
    await store.close()
    assert path.stat().st_size < 600_000


async def test_maintenance_does_nothing_while_nothing_happens(tmp_path, clock):
    path = tmp_path / "a.db"
    store = await Store.open(str(path), clock=clock)
    await Events(store).add(Event(at=1.0, kind="k", subject=HOST, message="m"))
    await store.maintain()
    await store.maintain()
    before = {each.name: each.stat().st_mtime_ns for each in tmp_path.iterdir()}
    clock.now += 10 * 3600
    await store.maintain()
    await store.maintain()
    assert {each.name: each.stat().st_mtime_ns for each in tmp_path.iterdir()} == before
    await store.close()
