"""The planner: the gentlest remedy first, failed ones skipped, every gate shown; and what holds for any situation."""

from hypothesis import given, settings
from hypothesis import strategies as st

from autonomyd.analyze.diagnosis import diagnose
from autonomyd.execute.playbooks import BUNDLED
from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import GateLimits, PauseFacts
from autonomyd.model.fix import Outcome
from autonomyd.model.issue import IssueType
from autonomyd.model.plan import Autonomy, GateName, Plan, Refusal, RefusalReason
from autonomyd.model.service import Intent, RunState
from autonomyd.plan.guards import GUARDS
from autonomyd.plan.planner import decide
from autonomyd.testing import check, diagnosis, issue, past_fix, service, situation

HUNG_KEY = "service_unhealthy|service:web|checks"
UNHEALTHY = issue(IssueType.SERVICE_UNHEALTHY)
HUNG = diagnosis(Cause.PROCESS_HUNG, confidence=92.0, signals=("http", "tcp"))


def hung(*past, learned=None):
    """The decision about a hung service after these fixes, long enough ago that no cooldown holds it."""
    limits = GateLimits(restart_within_s=1.0, healthy_reset_s=1.0)
    about = service(checks=(check("http", failing=True), check("tcp", failing=True)))
    now = situation(about, past=past, limits=limits, learned=learned or {})
    return decide(UNHEALTHY, HUNG, now, BUNDLED)


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
    assert hung(learned={"restart": 3.0}).confidence == 95.0
    refusal = hung(learned={"restart": -10.0})
    assert (refusal.reason, refusal.strategy) == (RefusalReason.LOW_CONFIDENCE, "restart")
    assert hung(learned={"kill-and-start": -10.0}).confidence == 92.0
    assert hung(learned={"restart": 50.0}).confidence == 100.0
    assert hung(learned={"restart": -90.0}).gates[-1].saw == "50"  # experience takes it no lower


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
LEARNED = st.dictionaries(st.sampled_from(["start", "restart", "kill-and-start"]), st.floats(-10, 10))
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
        assert not answer.gates[-1].passed
        assert all(gate.passed for gate in answer.gates[:-1])
        assert answer.message
        return
    assert isinstance(answer, Plan)
    assert not pause
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
        assert not tripped
        acts = [fix for fix in past if fix.disruptive and now.now - fix.at <= 3600.0]
        assert len(acts) < now.limits.acts_per_hour_host
        assert sum(fix.service == "web" for fix in acts) < now.limits.acts_per_hour_service
