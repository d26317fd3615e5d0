"""The approval queue: asked once, answered by a person, judged again; without an answer nothing is done."""

from dataclasses import replace

import pytest

from autonomyd.engine.approvals import ASK_AGAIN_S, ApprovalDesk, TooLate, UnknownApproval
from autonomyd.model.diagnosis import Cause
from autonomyd.model.plan import GateName, Plan, Refusal, RefusalReason, Risk
from autonomyd.model.step import RestartService, StartService
from autonomyd.model.trust import ApprovalState
from autonomyd.testing import ManualClock, issue

ANNA = "uid=1000 pid=7"
PLAN = Plan(
    strategy="restart", cause=Cause.PROCESS_HUNG, steps=(RestartService(service="web"),), confidence=92.0,
    risk=Risk.MEDIUM, disruptive=True, reversible=True, service="web", issue_id=1, preview=("restart web",),
)  # fmt: skip
REFUSAL = Refusal(
    reason=RefusalReason.NEEDS_APPROVAL, message="it asks before it acts", gate=GateName.AUTONOMY, wanted=PLAN
)
COOLING = Refusal(reason=RefusalReason.COOLDOWN, message="it waits", gate=GateName.COOLDOWN)


class Bench:
    """A desk whose judge answers what the test says."""

    def __init__(self):
        self.clock, self.noted, self.saved, self.denials, self.diary = ManualClock(), [], [], [], []
        self.verdict = None
        self.desk = self.open()

    def open(self):
        ids = iter(range(len(self.noted) + 1, 100))
        return ApprovalDesk(
            clock=self.clock, next_id=lambda: next(ids), note=self.noted.append,
            denied=lambda *words: self.denials.append(words), tell=lambda *words: self.diary.append(words),
        )  # fmt: skip

    async def save(self, approval):
        self.saved.append(approval)

    async def judge(self, issue_id):
        """What healing does: decide with what was said, and let the desk hear it."""
        verdict = self.verdict(self.desk.facts(issue(), "web")) if callable(self.verdict) else self.verdict
        return verdict if verdict is None else self.desk.asked(issue(), verdict)

    def ask(self, refusal=REFUSAL):
        return self.desk.asked(issue(), refusal)

    async def answer(self, word, number=1, actor=ANNA):
        return await getattr(self.desk, word)(number, actor=actor, save=self.save, judge=self.judge)

    @property
    def last(self):
        return self.noted[-1]


def allowed(facts):
    """The planner when only the person's word is missing."""
    if facts.approved == PLAN:
        return replace(PLAN, approval=facts.approval, approved_by=facts.actor)
    return REFUSAL


def test_what_needs_a_person_is_asked_once_and_says_how_to_answer():
    bench = Bench()
    first, again = bench.ask(), bench.ask()
    assert first.approval == again.approval == 1
    assert "`autonomyctl approve 1`" in first.message
    assert "without an answer nothing is done" in first.message
    (waiting,) = bench.desk.waiting
    assert (waiting.plan, waiting.expires_at) == (PLAN, bench.clock.wall() + 3600.0)
    assert len(bench.noted) == 1


@pytest.mark.parametrize("decision", [PLAN, COOLING, replace(REFUSAL, reason=RefusalReason.SHADOW)])
def test_what_needs_nobody_is_not_asked(decision):
    bench = Bench()
    assert bench.ask(decision) == decision
    assert not bench.desk.waiting


async def test_an_approved_plan_begins_in_the_name_of_who_approved():
    bench = Bench()
    bench.ask()
    bench.verdict = allowed
    answered = await bench.answer("approve")
    assert answered.begun
    assert "restart web" in answered.message
    assert (bench.saved[0].state, bench.saved[0].actor) == (ApprovalState.APPROVED, ANNA)
    assert (bench.last.state, bench.last.actor) == (ApprovalState.USED, ANNA)
    assert not bench.desk.open, "it is used up: the next try is asked about anew"
    assert bench.desk.facts(issue(), "web").approved is None


async def test_an_approval_waits_for_the_other_gates_until_it_expires():
    bench = Bench()
    bench.ask()
    bench.verdict = COOLING
    answered = await bench.answer("approve")
    assert not answered.begun
    assert "it waits" in answered.message
    assert bench.desk.facts(issue(), "web").approved == PLAN
    bench.clock.advance(3600.0)
    assert bench.desk.facts(issue(), "web").approved is None
    assert bench.last.state is ApprovalState.EXPIRED


async def test_a_plan_that_is_another_by_now_is_not_what_was_approved():
    bench = Bench()
    bench.ask()
    other = replace(PLAN, steps=(StartService(service="web"),), preview=("start web",))
    bench.verdict = replace(REFUSAL, wanted=other)
    answered = await bench.answer("approve")
    assert not answered.begun
    assert "has changed" in answered.message
    assert "#2" in answered.message
    assert [each.state for each in bench.noted if each.id == 1][-1] is ApprovalState.OUTDATED
    assert [each.plan for each in bench.desk.waiting] == [other]


async def test_a_problem_that_is_over_needs_nothing():
    bench = Bench()
    bench.ask()
    bench.verdict = None
    assert not (await bench.answer("approve")).begun
    bench.desk.over(issue())
    assert bench.last.state is ApprovalState.OUTDATED
    with pytest.raises(UnknownApproval):
        await bench.answer("approve")


async def test_a_no_is_kept_learned_from_and_another_remedy_comes():
    bench = Bench()
    bench.ask()
    bench.verdict = replace(PLAN, strategy="start", preview=("start web",))
    answered = await bench.answer("deny")
    assert "start web" in answered.message
    assert bench.denials == [(PLAN, 1, ANNA)]
    assert bench.desk.facts(issue(), "web").denied == {"restart"}
    assert bench.saved[-1].state is ApprovalState.DENIED
    bench.desk.over(issue())
    assert bench.desk.facts(issue(), "web").denied == frozenset()


async def test_always_is_for_one_remedy_one_cause_and_one_service():
    bench = Bench()
    bench.ask()
    bench.desk.allow(bench.desk.consent_of(1, actor=ANNA))
    assert bench.desk.facts(issue(), "web").standing == {("restart", Cause.PROCESS_HUNG): ANNA}
    assert bench.desk.facts(issue(service="db"), "db").standing == {}
    (ended,) = bench.desk.revoke("web", "restart", actor=ANNA)
    assert ended.actor == ANNA
    assert bench.desk.facts(issue(), "web").standing == {}
    with pytest.raises(UnknownApproval):
        bench.desk.revoke("web", "restart", actor=ANNA)


async def test_nobody_answered_nothing_is_done_and_it_is_asked_again_the_next_day():
    bench = Bench()
    bench.ask()
    bench.clock.advance(3600.0)
    silent = bench.ask()
    assert silent.park
    assert silent.approval is None
    assert "nobody answered" in silent.message
    assert bench.last.state is ApprovalState.EXPIRED
    assert not bench.desk.waiting
    with pytest.raises(UnknownApproval):
        await bench.answer("approve")
    bench.clock.advance(ASK_AGAIN_S)
    assert bench.ask().approval == 2


async def test_one_answer_is_enough():
    bench = Bench()
    bench.ask()
    bench.verdict = COOLING
    await bench.answer("approve")
    for word in ("approve", "deny"):
        with pytest.raises(TooLate):
            await bench.answer(word)
    with pytest.raises(UnknownApproval):
        await bench.answer("approve", 99)


async def test_a_restart_of_the_daemon_forgets_nothing():
    bench = Bench()
    bench.ask()
    newest = list(reversed(bench.noted))
    consent = bench.desk.consent_of(1, actor=ANNA)
    bench.desk = bench.open()
    bench.desk.restore(newest, [consent])
    assert [each.id for each in bench.desk.waiting] == [1]
    assert bench.desk.facts(issue(), "web").standing == {("restart", Cause.PROCESS_HUNG): ANNA}
    await bench.answer("deny")
    bench.desk = bench.open()
    bench.desk.restore([bench.saved[-1]], [])
    assert bench.desk.facts(issue(), "web").denied == {"restart"}
