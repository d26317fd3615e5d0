"""The planner: the gentlest remedy first, failed ones skipped, every gate shown; and what holds for any situation."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from autonomyd.analyze.diagnosis import diagnose
from autonomyd.execute.playbooks.free_disk_space import FreeDiskSpace
from autonomyd.execute.playbooks.kill_and_start import KillAndStart
from autonomyd.execute.playbooks.restart import Restart
from autonomyd.execute.playbooks.start import Start
from autonomyd.model.diagnosis import Cause, RankedCause
from autonomyd.model.facts import GateLimits, PauseFacts
from autonomyd.model.fix import Outcome
from autonomyd.model.issue import IssueType
from autonomyd.model.plan import Autonomy, GateName, Plan, Refusal, RefusalReason
from autonomyd.model.service import Intent, RunState
from autonomyd.model.trust import ConsentFacts, Experience
from autonomyd.plan.guards import GUARDS
from autonomyd.plan.planner import A_PERSON_CAN_OPEN, decide
from autonomyd.testing import WALL, check, diagnosis, issue, past_fix, service, situation

RESTART, FREE_SPACE = Restart(), FreeDiskSpace()
BUNDLED = (Start(), RESTART, KillAndStart(), FREE_SPACE)
HUNG_KEY = "service_unhealthy|service:web|checks"
UNHEALTHY = issue(IssueType.SERVICE_UNHEALTHY)
HUNG = diagnosis(Cause.PROCESS_HUNG, confidence=92.0, signals=("http", "tcp"))


def hung(*past, learned=None):
    """The decision about a hung service after these fixes, long enough ago that no cooldown holds it."""
    limits = GateLimits(restart_within_s=1.0, healthy_reset_s=1.0)
    about = service(checks=(check("http", failing=True), check("tcp", failing=True)))
    now = situation(about, past=past, limits=limits, learned=learned or {})
    return decide(UNHEALTHY, HUNG, now, BUNDLED)


def learned(**points):
    return {(Cause.PROCESS_HUNG, name): Experience(total=10, healed=5, points=value) for name, value in points.items()}


def tried(strategy, outcome, ago_s=600.0):
    return past_fix(strategy, ago_s=ago_s, outcome=outcome, issue_key=HUNG_KEY, cause=Cause.PROCESS_HUNG)


def test_the_gentlest_comes_first():
    assert hung().strategy == "restart"


def test_one_that_failed_on_this_issue_is_skipped():
    for outcome in (Outcome.INEFFECTIVE, Outcome.WORSENED, Outcome.ROLLED_BACK):
        assert hung(tried("restart", outcome)).strategy == "kill-and-start"


def test_one_that_healed_or_could_not_be_verified_is_not_skipped():
    for outcome in (Outcome.HEALED, Outcome.UNVERIFIED):
        assert hung(tried("restart", outcome)).strategy == "restart"


def test_when_all_have_failed_the_harshest_is_left():
    past = (tried("restart", Outcome.INEFFECTIVE), tried("kill-and-start", Outcome.INEFFECTIVE))
    assert hung(*past).strategy == "kill-and-start"


def test_a_failure_long_ago_is_forgotten():
    assert hung(tried("restart", Outcome.INEFFECTIVE, ago_s=3601.0)).strategy == "restart"


def test_what_was_learned_moves_the_confidence():
    assert hung(learned=learned(restart=3.0)).confidence == 95.0
    refusal = hung(learned=learned(restart=-10.0))
    assert (refusal.reason, refusal.strategy) == (RefusalReason.LOW_CONFIDENCE, "restart")
    assert hung(learned={(Cause.PROCESS_HUNG, "kill-and-start"): Experience(points=-10.0)}).confidence == 92.0
    assert hung(learned=learned(restart=50.0)).confidence == 100.0
    assert hung(learned=learned(restart=-90.0)).wanted.confidence == 50.0  # experience takes it no lower
    assert hung(learned={(Cause.LIMIT_EXCEEDED, "restart"): Experience(points=-90.0)}).confidence == 92.0


def test_a_plan_shows_every_gate_and_what_would_happen():
    plan = hung()
    assert len(plan.gates) == len(GUARDS)
    assert all(gate.passed for gate in plan.gates)
    assert (plan.service, plan.issue_id, plan.cause, plan.preview) == ("web", 1, Cause.PROCESS_HUNG, ("restart web",))


def test_a_refusal_shows_the_gates_up_to_the_one_that_is_shut():
    refusal = decide(UNHEALTHY, HUNG, situation(service(autonomy=Autonomy.OBSERVE)), BUNDLED)
    assert [gate.gate for gate in refusal.gates] == [GateName.PAUSED, GateName.AUTONOMY]
    assert [gate.passed for gate in refusal.gates] == [True, False]


def test_without_a_cause_or_a_strategy_there_is_only_a_refusal():
    about = service(checks=(check(failing=True),))
    assert decide(UNHEALTHY, diagnosis(None), situation(about), BUNDLED).reason is RefusalReason.UNDETERMINED
    assert decide(UNHEALTHY, HUNG, situation(about), ()).reason is RefusalReason.NO_STRATEGY


BOTH = (
    RankedCause(cause=Cause.PROCESS_HUNG, confidence=92.0),
    RankedCause(cause=Cause.LIMIT_EXCEEDED, confidence=90.0),
)


def two_causes(*past, second=90.0, strategies=BUNDLED, **more):
    """The decision about a problem with two likely causes, whose remedies are apart."""
    causes = (BOTH[0], replace(BOTH[1], confidence=second))
    found = replace(HUNG, causes=causes, certain=True)
    limits = GateLimits(restart_within_s=1.0, healthy_reset_s=1.0)
    return decide(UNHEALTHY, found, situation(service(), past=past, limits=limits, **more), strategies)


APART = (
    replace(RESTART, name="gentle", causes=frozenset({Cause.PROCESS_HUNG})),
    replace(RESTART, name="other", causes=frozenset({Cause.LIMIT_EXCEEDED})),
)


def test_the_next_cause_comes_when_the_remedies_of_the_likeliest_have_failed():
    assert two_causes(strategies=APART).strategy == "gentle"
    plan = two_causes(tried("gentle", Outcome.INEFFECTIVE), strategies=APART)
    assert (plan.strategy, plan.cause) == ("other", Cause.LIMIT_EXCEEDED)
    strategy_gate = next(gate for gate in plan.gates if gate.gate is GateName.STRATEGY)
    assert "gentle: it failed on this problem" in strategy_gate.saw


def test_a_cause_that_is_not_likely_enough_is_not_acted_on():
    answer = two_causes(tried("gentle", Outcome.INEFFECTIVE), second=60.0, strategies=APART)
    assert answer.strategy == "gentle"


def test_a_cause_without_a_remedy_is_no_reason_to_act_on_a_less_likely_one():
    answer = two_causes(strategies=APART[1:])
    assert answer.reason is RefusalReason.NO_STRATEGY


def test_what_has_nothing_to_do_is_passed_over():
    idle = replace(FREE_SPACE, name="idle", causes=frozenset({Cause.PROCESS_HUNG}), rung=0)
    assert two_causes(strategies=(*APART, idle)).strategy == "gentle"
    assert two_causes(strategies=(idle,)).reason is RefusalReason.NOTHING_TO_DO


def test_a_harsher_act_is_no_answer_to_not_knowing():
    blind = replace(FREE_SPACE, name="blind", causes=frozenset({Cause.PROCESS_HUNG}), rung=0)
    refusal = two_causes(strategies=(*APART, blind), unread={"cleanup": "it took too long"})
    assert (refusal.reason, refusal.strategy) == (RefusalReason.UNKNOWN_DATA, "blind")
    quiet = replace(RESTART, name="quiet", causes=frozenset({Cause.PROCESS_HUNG}), disruptive=False, rung=3)
    assert two_causes(strategies=(*APART, blind, quiet), unread={"cleanup": "it took too long"}).strategy == "quiet"


def quarantined(name, cause=Cause.PROCESS_HUNG, for_s=60.0):
    return {(cause, name): Experience(total=5, healed=1, quarantined_until=WALL + for_s)}


def test_what_is_in_quarantine_is_passed_over_and_said_so():
    plan = hung(learned=quarantined("restart"))
    assert plan.strategy == "kill-and-start"
    assert any("quarantine" in gate.saw for gate in plan.gates)
    assert hung(learned=quarantined("restart", for_s=-1.0)).strategy == "restart"
    both = quarantined("restart") | quarantined("kill-and-start")
    refusal = hung(learned=both)
    assert refusal.reason is RefusalReason.NO_STRATEGY
    assert "quarantine" in refusal.message


def test_no_quarantine_keeps_a_dead_service_down():
    gone = situation(service(RunState.GONE), learned=quarantined("start", Cause.PROCESS_GONE))
    assert decide(issue(), diagnosis(certain=True), gone, BUNDLED).strategy == "start"


def test_what_a_person_denied_is_not_chosen():
    said = ConsentFacts(denied=frozenset({"restart"}))
    limits = GateLimits()
    about = situation(service(), consent=said, limits=limits)
    assert decide(UNHEALTHY, HUNG, about, BUNDLED).strategy == "kill-and-start"
    none = situation(service(), consent=ConsentFacts(denied=frozenset({"restart", "kill-and-start"})))
    assert decide(UNHEALTHY, HUNG, none, BUNDLED).reason is RefusalReason.NO_STRATEGY


def test_what_a_person_is_asked_about_has_passed_every_other_gate():
    about = situation(service(autonomy=Autonomy.ASK))
    refusal = decide(UNHEALTHY, HUNG, about, BUNDLED)
    assert (refusal.reason, refusal.wanted.strategy) == (RefusalReason.NEEDS_APPROVAL, "restart")
    assert [gate.gate for gate in refusal.gates if not gate.passed] == [GateName.AUTONOMY]
    assert len(refusal.gates) == len(GUARDS)
    held = replace(about, service=service(autonomy=Autonomy.ASK, parents_down=("db",)))
    assert decide(UNHEALTHY, HUNG, held, BUNDLED).reason is RefusalReason.PARENT_FAILED


def test_an_approved_plan_is_carried_out_in_the_name_of_who_approved():
    about = situation(service(autonomy=Autonomy.ASK))
    wanted = decide(UNHEALTHY, HUNG, about, BUNDLED).wanted
    yes = replace(about, consent=ConsentFacts(approved=wanted, approval=7, actor="uid=1000 pid=7"))
    plan = decide(UNHEALTHY, HUNG, yes, BUNDLED)
    assert (plan.steps, plan.approval, plan.approved_by) == (wanted.steps, 7, "uid=1000 pid=7")
    other = replace(yes, consent=replace(yes.consent, approved=replace(wanted, steps=())))
    assert decide(UNHEALTHY, HUNG, other, BUNDLED).reason is RefusalReason.NEEDS_APPROVAL


def test_standing_consent_needs_no_approval_and_no_name():
    said = ConsentFacts(standing={("restart", Cause.PROCESS_HUNG): "anna"})
    plan = decide(UNHEALTHY, HUNG, situation(service(autonomy=Autonomy.ASK), consent=said), BUNDLED)
    assert (plan.strategy, plan.approval, plan.approved_by) == ("restart", None, "")


CHECKS = st.builds(
    check,
    st.sampled_from(["http", "tcp", "heartbeat"]),
    failing=st.booleans(),
    failures=st.integers(0, 20),
    known=st.booleans(),
)
SERVICES = st.builds(
    service,
    st.sampled_from(list(RunState)),
    intent=st.sampled_from(list(Intent)),
    autonomy=st.sampled_from(list(Autonomy)),
    checks=st.lists(CHECKS, max_size=3).map(tuple),
    cpu_percent=st.sampled_from([None, 0.0, 10.0, 60.0, 300.0]),
    parents_down=st.sampled_from([(), ("db",)]),
)
PAST = st.lists(
    st.builds(
        past_fix,
        st.sampled_from(["start", "restart", "kill-and-start"]),
        ago_s=st.floats(0.0, 5000.0),
        service=st.sampled_from(["web", "db"]),
        outcome=st.sampled_from([*Outcome, None]),
        disruptive=st.booleans(),
        issue_key=st.sampled_from([HUNG_KEY, "service_down|service:web|process"]),
    ),
    max_size=12,
).map(lambda fixes: tuple(sorted(fixes, key=lambda fix: fix.at)))
LEARNED = st.dictionaries(
    st.tuples(st.sampled_from([Cause.PROCESS_GONE, Cause.PROCESS_HUNG]), st.sampled_from(["start", "restart"])),
    st.builds(Experience, points=st.floats(-10, 10), quarantined_until=st.sampled_from([None, WALL + 60.0])),
)
KINDS = st.sampled_from([IssueType.SERVICE_DOWN, IssueType.SERVICE_UNHEALTHY, IssueType.RESOURCE_EXHAUSTION])


@settings(max_examples=400)
@given(
    about=SERVICES,
    past=PAST,
    pause=st.booleans(),
    learned=LEARNED,
    kind=KINDS,
    tripped=st.sampled_from(["", "too many"]),
)
def test_what_holds_for_every_decision(about, past, pause, learned, kind, tripped):
    unknown = "not known" if about.run is RunState.UNKNOWN else ""
    pauses = PauseFacts(paused=pause)
    now = situation(about, past=past, pause=pauses, learned=learned, unknown=unknown, tripped=tripped)
    found = diagnose(issue(kind), now)
    answer = decide(issue(kind), found, now, BUNDLED)
    if isinstance(answer, Refusal):
        assert not all(gate.passed for gate in answer.gates)
        if answer.wanted is None:
            assert not answer.gates[-1].passed
        else:
            assert answer.reason in A_PERSON_CAN_OPEN
            assert len(answer.gates) == len(GUARDS)
        assert answer.message
        return
    assert isinstance(answer, Plan)
    assert not pause
    assert not tripped
    assert about.run is not RunState.UNKNOWN
    assert about.intent is Intent.STARTED
    assert about.autonomy is Autonomy.ACT
    assert not about.parents_down
    assert answer.confidence >= now.limits.confidence
    assert answer.steps
    recent = [fix for fix in past if fix.service == "web" and now.now - fix.at < now.limits.restart_within_s]
    assert len(recent) < now.limits.restart_max
    if answer.disruptive:
        assert found.certain or len(found.signals) >= 2
        acts = [fix for fix in past if fix.disruptive and now.now - fix.at <= 3600.0]
        assert len(acts) < now.limits.acts_per_hour_host
        assert sum(fix.service == "web" for fix in acts) < now.limits.acts_per_hour_service
