"""The choice within a rung, what an act that can wait waits for, and what is written down beside each decision."""

from dataclasses import replace

import pytest

from autonomyd.execute.playbooks import BUNDLED
from autonomyd.execute.playbooks.recycle import Recycle
from autonomyd.execute.playbooks.restart import Restart
from autonomyd.knowledge.rows import dump, load
from autonomyd.model.decision import MomentFacts
from autonomyd.model.diagnosis import Cause, RankedCause
from autonomyd.model.health import Severity
from autonomyd.model.issue import IssueType
from autonomyd.model.plan import GateName, Plan, Refusal, RefusalReason, Risk
from autonomyd.model.step import OptimizeSqlite, RestartService
from autonomyd.model.trust import ConsentFacts, Experience
from autonomyd.plan.choice import in_order, memory_is_scarce, weigh
from autonomyd.plan.guards import GUARDS
from autonomyd.plan.planner import decide
from autonomyd.testing import WALL, check, diagnosis, issue, service, situation

HUNG = RankedCause(cause=Cause.PROCESS_HUNG, confidence=90.0)
GENTLE = replace(Restart(), name="gentle", risk=Risk.LOW, disruptive=False)
HARSH = replace(Restart(), name="harsh", risk=Risk.HIGH)
SOON = issue(IssueType.RESOURCE_EXHAUSTION, metric="rss_mb.soon", severity=Severity.WARNING, threshold=512.0)
LEAKING = diagnosis(Cause.LEAKING, confidence=90.0, signals=("near its limit", "rising steadily"))
BUSY = MomentFacts(busy=True, busy_why="the CPU is usually at 60 %", quiet_at=WALL + 7200.0, left_s=86400.0)


def order(*ladder, **more):
    return [each.name for each in in_order(HUNG, ladder, situation(service(), **more))]


def learned(**means):
    return {(Cause.PROCESS_HUNG, name): Experience(total=10, healed=5, mean=mean) for name, mean in means.items()}


def foresees(moment, about=SOON, found=LEAKING, **more):
    return decide(about, found, situation(service(exceeded=("rss_mb.soon",)), moment=moment, **more), (Recycle(),))


def test_a_gentler_rung_always_comes_first():
    harsher = replace(GENTLE, name="second", rung=2)
    assert order(harsher, HARSH, learned=learned(harsh=0.01, second=0.99)) == ["harsh", "second"]


def test_what_has_helped_here_comes_first_within_a_rung():
    one, other = replace(Restart(), name="one"), replace(Restart(), name="other")
    assert order(one, other) == ["one", "other"], "equals stay as they are"
    assert order(one, other, learned=learned(one=0.4, other=0.8)) == ["other", "one"]
    assert order(one, other, learned=learned(one=0.4)) == ["other", "one"]


def test_of_equal_promise_the_safer_comes_first_and_never_against_experience():
    assert order(HARSH, GENTLE) == ["gentle", "harsh"]
    assert order(HARSH, GENTLE, learned=learned(harsh=0.95, gentle=0.5)) == ["harsh", "gentle"]
    lasting = replace(GENTLE, name="lasting", reversible=False)
    assert order(lasting, GENTLE) == ["gentle", "lasting"]


def test_in_a_busy_hour_an_interruption_weighs_more():
    calm, busy = (weigh(HUNG, Restart(), situation(service(), moment=MomentFacts(busy=each))) for each in (False, True))
    assert busy.score < calm.score
    assert "busy" in busy.why


@pytest.mark.parametrize(
    ("moment", "scarce"),
    [
        (MomentFacts(), False),
        (MomentFacts(memory_percent=89.0), False),
        (MomentFacts(memory_percent=95.0), True),
        (MomentFacts(memory_percent=50.0, memory_pressure_percent=20.0), True),
    ],
)
def test_while_memory_is_scarce_what_gives_it_back_is_preferred(moment, scarce):
    gives = replace(Restart(), name="gives", yields=frozenset({RestartService}))
    copies = replace(Restart(), name="copies", yields=frozenset({OptimizeSqlite}))
    assert memory_is_scarce(situation(moment=moment)) is scarce
    assert order(copies, gives, moment=moment) == (["gives", "copies"] if scarce else ["copies", "gives"])


def test_with_nothing_learned_the_bundled_ladders_stand_as_they_were():
    for cause in Cause:
        ladder = [each for each in BUNDLED if cause in each.causes]
        plain = sorted(ladder, key=lambda each: each.rung)
        assert in_order(RankedCause(cause=cause, confidence=90.0), ladder, situation(service())) == plain


def test_what_can_wait_waits_for_a_quiet_hour():
    refusal = foresees(BUSY)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.gate) == (RefusalReason.CAN_WAIT, GateName.MOMENT)
    assert (refusal.retry_at, refusal.park) == (WALL + 600.0, False), "it may grow faster meanwhile"
    assert foresees(replace(BUSY, quiet_at=WALL + 60.0)).retry_at == WALL + 60.0
    assert [gate.passed for gate in refusal.gates] == [True] * len(GUARDS) + [False]
    assert refusal.gates[-1].saw == "a busy hour (the CPU is usually at 60 %), 24 h left, quiet in 2 h"


@pytest.mark.parametrize(
    "moment",
    [
        MomentFacts(),
        replace(BUSY, busy=False),
        replace(BUSY, busy=None),
        replace(BUSY, left_s=None),
        replace(BUSY, left_s=600.0),
        replace(BUSY, left_s=10_000.0),
        replace(BUSY, quiet_at=None),
    ],
)
def test_what_is_not_known_or_can_not_wait_is_done_now(moment):
    plan = foresees(moment)
    assert isinstance(plan, Plan)
    assert plan.gates[-1].gate is GateName.MOMENT
    assert plan.gates[-1].passed


def test_only_prevention_waits():
    over = issue(IssueType.RESOURCE_EXHAUSTION, metric="rss_mb", severity=Severity.WARNING)
    assert isinstance(foresees(BUSY, over), Plan)
    assert isinstance(foresees(BUSY, replace(SOON, severity=Severity.CRITICAL)), Plan)
    assert len(foresees(BUSY, over).gates) == len(GUARDS)


def test_what_a_person_approved_does_not_wait():
    plan = foresees(MomentFacts())
    allowed = ConsentFacts(approved=plan, approval=3, actor="anna")
    assert isinstance(foresees(BUSY, consent=allowed), Plan)


def test_every_decision_tells_what_it_rested_on():
    about = service(checks=(check("http", failing=True), check("tcp", failing=True)))
    moment = MomentFacts(memory_percent=95.0, cpu_percent=20.0, busy=True, busy_why="a habit", again=0.4)
    known = {(Cause.PROCESS_HUNG, "restart"): Experience(total=5, healed=4, mean=0.82)}
    now = situation(about, moment=moment, learned=known)
    found = diagnosis(Cause.PROCESS_HUNG, confidence=92.0, signals=("http", "tcp"))
    plan = decide(issue(IssueType.SERVICE_UNHEALTHY), found, now, BUNDLED)
    assert isinstance(plan, Plan)
    context = plan.context
    assert context is not None
    assert "http, tcp fail" in context.state
    assert "4 of 5 healed, 82 of 100 expected" in context.history
    assert context.health == "CPU 20 %, memory 95 %"
    assert "memory is scarce" in context.resources
    assert "autonomy act" in context.preferences
    assert "comes again within 24 h: 40 %" in context.risk
    assert context.time == "a busy hour (a habit)"
    assert "http, tcp pass" in context.success
    assert [each.rung for each in context.weighed] == sorted(each.rung for each in context.weighed)
    assert load(Plan, dump(plan)) == plan


def test_a_refusal_tells_it_too_and_an_old_plan_without_is_read():
    refusal = decide(issue(), diagnosis(None), situation(service()), BUNDLED)
    assert isinstance(refusal, Refusal)
    assert refusal.context is not None
    assert refusal.context.weighed == ()
    assert load(Refusal, dump(refusal)) == refusal
    plan = foresees(MomentFacts())
    old = dump(replace(plan, context=None)).replace(',"context":null', "")
    assert load(Plan, old) == replace(plan, context=None)
