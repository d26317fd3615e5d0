"""Why each remedy is not the one: the same answers as the decision's, for all of them."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from autonomyd.execute.playbooks import BUNDLED
from autonomyd.model.decision import MomentFacts, Standing
from autonomyd.model.diagnosis import Cause, RankedCause
from autonomyd.model.facts import GateLimits, PauseFacts
from autonomyd.model.fix import Outcome
from autonomyd.model.issue import IssueType
from autonomyd.model.plan import Autonomy, Plan
from autonomyd.model.service import Intent, RunState
from autonomyd.model.trust import ConsentFacts, Experience
from autonomyd.plan.planner import decide
from autonomyd.plan.why_not import why_not
from autonomyd.testing import WALL, check, diagnosis, issue, past_fix, service, situation

UNHEALTHY = issue(IssueType.SERVICE_UNHEALTHY)
HUNG = diagnosis(Cause.PROCESS_HUNG, confidence=92.0, signals=("http", "tcp"))
FAILING = service(checks=(check("http", failing=True), check("tcp", failing=True)))
KEY = "service_unhealthy|service:web|checks"


def verdicts(found=HUNG, about=FAILING, problem=UNHEALTHY, **more):
    return {each.strategy: each for each in why_not(problem, found, situation(about, **more), BUNDLED)}


def learned(**found):
    return {(Cause.PROCESS_HUNG, name): each for name, each in found.items()}


def test_every_strategy_is_answered_for_once_and_the_chosen_comes_first():
    found = why_not(UNHEALTHY, HUNG, situation(FAILING), BUNDLED)
    assert found[0].strategy == "restart"
    assert sorted(each.strategy for each in found) == sorted(each.name for each in BUNDLED)
    assert found[0].standing is Standing.CHOSEN
    assert (found[0].why, found[0].gate, found[0].retry_at) == ("it is the next", None, None)


def test_a_harsher_one_is_behind_a_gentler_one():
    found = verdicts()["kill-and-start"]
    assert found.standing is Standing.BEHIND
    assert found.why == "restart is gentler (rung 1, this is 2) and comes first"


def test_what_is_for_another_cause_says_for_which():
    found = verdicts()["optimize-sqlite"]
    assert found.standing is Standing.OTHER_CAUSE
    assert found.why == "it is for sqlite bloated, not process hung"


def test_an_unknown_cause_leaves_nothing_to_choose_from():
    found = verdicts(diagnosis(None)).values()
    assert {each.standing for each in found} == {Standing.OTHER_CAUSE}
    assert all("the cause here is not known" in each.why for each in found)


def test_short_of_confidence():
    sure = replace(HUNG, causes=(replace(HUNG.causes[0], confidence=78.0),))
    found = verdicts(sure)["restart"]
    assert (found.standing, found.gate, found.confidence, found.short_by) == (Standing.CHOSEN, "confidence", 78.0, 7.0)
    assert found.saw == "78"
    assert verdicts(sure)["kill-and-start"].standing is Standing.HELD


def test_quarantined_denied_and_failed():
    known = learned(restart=Experience(total=5, healed=1, quarantined_until=WALL + 7200.0))
    assert "in quarantine for 2.0 h more" in verdicts(learned=known)["restart"].why
    denied = verdicts(consent=ConsentFacts(denied=frozenset({"restart"})))["restart"]
    assert (denied.standing, denied.why) == (Standing.RULED_OUT, "a person denied it")
    tried = past_fix("restart", outcome=Outcome.INEFFECTIVE, issue_key=KEY, cause=Cause.PROCESS_HUNG, ago_s=600.0)
    assert verdicts(past=(tried,))["restart"].why == "it failed on this problem"
    assert verdicts(past=(tried,))["kill-and-start"].standing is Standing.CHOSEN


def test_the_cooldown_that_is_left():
    tried = past_fix("restart", outcome=Outcome.HEALED, issue_key=KEY, cause=Cause.PROCESS_HUNG, ago_s=5.0)
    limits = GateLimits(cooldown_first_s=60.0)
    found = verdicts(past=(tried,), limits=limits)["restart"]
    assert (found.gate, found.retry_at) == ("cooldown", WALL + 55.0)
    assert found.saw == "55 s of 60 s left" or "left" in found.saw


def test_autonomy_and_a_pause():
    assert verdicts(about=replace(FAILING, autonomy=Autonomy.OBSERVE))["restart"].gate == "autonomy"
    assert verdicts(pause=PauseFacts(paused=True, reason="tea", until=WALL + 60))["restart"].retry_at == WALL + 60


def test_a_remedy_with_nothing_to_do_says_so():
    assert verdicts()["fall-back"].standing is Standing.RULED_OUT
    assert "no fallback" in verdicts()["fall-back"].why


def test_the_remedy_of_a_less_likely_cause_stays_behind():
    both = replace(HUNG, causes=(*HUNG.causes, RankedCause(cause=Cause.CONTAINER_BROKEN, confidence=90.0)))
    found = verdicts(both)["recreate-container"]
    assert found.standing in (Standing.BEHIND, Standing.RULED_OUT)
    assert verdicts(both)["restart"].cause is Cause.PROCESS_HUNG


MANY = st.fixed_dictionaries(
    {
        "run": st.sampled_from(RunState),
        "intent": st.sampled_from(Intent),
        "autonomy": st.sampled_from(Autonomy),
        "paused": st.booleans(),
        "confidence": st.floats(0.0, 100.0),
        "cause": st.sampled_from([None, *Cause]),
        "denied": st.sets(st.sampled_from([each.name for each in BUNDLED])),
        "busy": st.sampled_from([None, True, False]),
        "failed": st.lists(st.sampled_from([each.name for each in BUNDLED]), max_size=3),
    }
)


@settings(max_examples=150, deadline=None)
@given(MANY)
def test_it_agrees_with_the_decision(many):
    about = service(many["run"], intent=many["intent"], autonomy=many["autonomy"], checks=FAILING.checks)
    found = diagnosis(many["cause"], confidence=many["confidence"], signals=("http", "tcp"))
    past = tuple(past_fix(name, outcome=Outcome.INEFFECTIVE, issue_key=KEY, ago_s=900.0) for name in many["failed"])
    now = situation(
        about, pause=PauseFacts(paused=many["paused"]), past=past, moment=MomentFacts(busy=many["busy"]),
        consent=ConsentFacts(denied=frozenset(many["denied"])),
    )  # fmt: skip
    decision = decide(UNHEALTHY, found, now, BUNDLED)
    told = why_not(UNHEALTHY, found, now, BUNDLED)
    chosen = [each for each in told if each.standing is Standing.CHOSEN]
    assert [each.strategy for each in chosen] == ([decision.strategy] if decision.strategy else [])
    if isinstance(decision, Plan):
        assert chosen[0].gate is None
    elif chosen:
        assert chosen[0].gate is not None
