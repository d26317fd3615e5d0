"""Lessons, approvals, consents and shadow cases go in and come back out, once each, and outlive what they came from."""

from dataclasses import replace

from autonomyd.knowledge.approvals import Approvals
from autonomyd.knowledge.outcomes import Outcomes
from autonomyd.knowledge.retention import KEPT_OUTCOMES, Retention, expired
from autonomyd.knowledge.shadow import Shadow
from autonomyd.knowledge.write import Write
from autonomyd.model.diagnosis import Cause
from autonomyd.model.plan import GateName, GateResult, Plan, RefusalReason, Risk
from autonomyd.model.step import EndProcess, RestartService
from autonomyd.model.trust import (
    Approval,
    ApprovalState,
    Consent,
    Lesson,
    LessonKind,
    ShadowCase,
    ShadowVerdict,
)

PLAN = Plan(
    strategy="restart", cause=Cause.PROCESS_HUNG,
    steps=(RestartService(service="web"), EndProcess(pid=7, started=9, why="it holds the port")), confidence=92.0,
    risk=Risk.MEDIUM, disruptive=True, reversible=True, service="web", issue_id=1, preview=("restart web",),
    gates=(GateResult(gate=GateName.PAUSED, passed=True, saw="running", needs="running"),), approval=3,
    approved_by="uid=0 pid=7",
)  # fmt: skip
APPROVAL = Approval(
    id=1, issue_id=1, plan=PLAN, reason=RefusalReason.IRREVERSIBLE, message="ask", asked_at=10.0, expires_at=20.0
)


def lesson(number: int, **changes) -> Lesson:
    base = Lesson(
        key=f"fix:{number}", at=float(number), kind=LessonKind.HEALED, service="web", strategy="restart",
        cause=Cause.PROCESS_HUNG, said=92.0, issue_id=number, fix_id=number,
    )  # fmt: skip
    return replace(base, **changes)


async def test_lessons_keep_their_order_and_none_counts_twice(store):
    outcomes = Outcomes(store)
    raised = lesson(3, key="raised:1", kind=LessonKind.RAISED, cause=None, issue_id=None, fix_id=None)
    for each in (lesson(2), lesson(1), raised, lesson(2, kind=LessonKind.WORSENED)):
        await outcomes.add(each)
    assert await outcomes.all() == [lesson(2), lesson(1), raised]
    assert await outcomes.recent(limit=2) == [raised, lesson(1)]
    assert await outcomes.recent(since=2.0) == [raised, lesson(2)]


async def test_lessons_outlive_their_fixes_and_only_their_number_is_bounded(store, clock):
    outcomes = Outcomes(store)
    for number in range(5):
        await outcomes.add(lesson(number))
    await store.put(*expired(Retention(days=1.0), wall=clock.wall() + 1e9))
    assert len(await outcomes.all()) == 5
    assert KEPT_OUTCOMES >= 10_000
    await store.put(Write(query="keep_newest_outcomes", params={"count": 2}))
    assert [each.fix_id for each in await outcomes.all()] == [3, 4]


async def test_an_approval_comes_back_with_its_whole_plan(store):
    approvals = Approvals(store)
    await approvals.save(APPROVAL)
    assert await approvals.get(1) == APPROVAL
    assert await approvals.open() == [APPROVAL]
    decided = replace(APPROVAL, state=ApprovalState.DENIED, actor="uid=0 pid=7", decided_at=12.0, note="no")
    await approvals.save(decided)
    assert await approvals.open() == []
    assert await approvals.recent() == [decided]
    assert await approvals.get(2) is None
    assert store.next_id("approval") == 1, "ids are given by the store, not by the row"


async def test_what_waits_is_never_forgotten(store):
    approvals = Approvals(store)
    await approvals.save(APPROVAL)
    for number in (2, 3):
        await approvals.save(replace(APPROVAL, id=number, state=ApprovalState.USED))
    await store.put(Write(query="keep_newest_approvals", params={"count": 0}))
    assert [each.id for each in await approvals.recent()] == [1]


async def test_consents_are_given_once_and_revoked(store):
    approvals = Approvals(store)
    consent = Consent(service="web", cause=Cause.PROCESS_HUNG, strategy="restart", at=1.0, actor="uid=0 pid=7")
    other = replace(consent, service="", cause=Cause.DISK_FILLING)
    for each in (consent, other, replace(consent, at=2.0)):
        await approvals.allow(each)
    assert await approvals.consents() == [other, replace(consent, at=2.0)]
    await approvals.revoke(consent)
    assert await approvals.consents() == [other]


async def test_a_shadow_case_is_scored_in_its_place(store):
    shadow = Shadow(store)
    case = ShadowCase(issue_id=1, at=1.0, until=2.0, plan=PLAN)
    scored = replace(case, verdict=ShadowVerdict.AGREED, scored_at=1.5, note="uid=0 pid=7 did the same")
    for each in (case, replace(case, issue_id=2), scored):
        await shadow.save(each)
    assert await shadow.all() == [scored, replace(case, issue_id=2)]
