"""Every gate: an input that passes, one that fails, and one that is inconclusive."""

import pytest

from autonomyd.execute.playbooks import BUNDLED
from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import GateLimits, PauseFacts
from autonomyd.model.fix import Outcome
from autonomyd.model.plan import Autonomy, GateName, RefusalReason
from autonomyd.model.service import Intent, RunState
from autonomyd.model.step import RemoveFiles, StartService
from autonomyd.plan.guards import GUARDS
from autonomyd.plan.guards.autonomy import autonomy
from autonomyd.plan.guards.backup import backup
from autonomyd.plan.guards.blast_radius import blast_radius
from autonomyd.plan.guards.cause import known_cause
from autonomyd.plan.guards.confidence import confidence
from autonomyd.plan.guards.consent import consent
from autonomyd.plan.guards.cooldown import cooldown
from autonomyd.plan.guards.dependencies import dependencies
from autonomyd.plan.guards.paused import paused
from autonomyd.plan.guards.recurrence import recurrence, recurrences
from autonomyd.plan.guards.signals import signals
from autonomyd.plan.guards.strategy import strategy
from autonomyd.plan.proposal import Proposal
from autonomyd.testing import WALL, diagnosis, issue, past_fix, service, situation

STRATEGIES = {each.name: each for each in BUNDLED}
STEPS = (StartService(service="web"),)
LIMITS = GateLimits(restart_max=3, restart_within_s=300.0, cooldown_first_s=10.0, cooldown_cap_s=100.0)


def proposal(remedy="restart", *, about=None, found=None, steps=STEPS, sure=99.0, **more):
    found = found or diagnosis()
    return Proposal(
        issue=issue(),
        situation=situation(about or service(RunState.GONE), limits=more.pop("limits", LIMITS), **more),
        diagnosis=found,
        cause=found.cause,
        strategy=STRATEGIES.get(remedy),
        steps=steps,
        confidence=sure,
    )


def shut(answer, reason, *, park=False):
    assert answer.refusal is not None
    assert answer.refusal.reason is reason
    assert answer.refusal.park is park
    assert not answer.result.passed
    assert answer.refusal.message
    assert answer.result.saw
    assert answer.refusal.gate is answer.result.gate
    return answer.refusal


def is_open(answer):
    assert answer.refusal is None
    assert answer.result.passed
    return True


def test_the_order_of_the_gates():
    names = [guard(proposal()).result.gate for guard in GUARDS]
    assert names == [
        GateName.PAUSED, GateName.AUTONOMY, GateName.KNOWN_CAUSE, GateName.STRATEGY, GateName.SIGNALS,
        GateName.CONFIDENCE, GateName.CONSENT, GateName.BACKUP, GateName.COOLDOWN, GateName.RECURRENCE,
        GateName.BLAST_RADIUS, GateName.DEPENDENCIES,
    ]  # fmt: skip


class TestPaused:
    def test_passes(self):
        assert is_open(paused(proposal()))

    def test_a_pause_refuses_with_its_end(self):
        refusal = shut(
            paused(proposal(pause=PauseFacts(paused=True, reason="release", until=WALL + 60))), RefusalReason.PAUSED
        )
        assert refusal.retry_at == WALL + 60
        assert "release" in refusal.message

    def test_a_pause_without_an_end_has_no_time_to_ask_again(self):
        assert shut(paused(proposal(pause=PauseFacts(paused=True))), RefusalReason.PAUSED).retry_at is None

    def test_what_a_person_stopped_is_left_alone(self):
        shut(paused(proposal(about=service(RunState.GONE, intent=Intent.STOPPED))), RefusalReason.INTENT)

    def test_without_a_service_nobody_can_have_stopped_it(self):
        assert is_open(paused(Proposal(issue=issue(), situation=situation(), diagnosis=diagnosis())))


class TestAutonomy:
    @pytest.mark.parametrize(
        ("level", "reason"),
        [
            (Autonomy.OBSERVE, RefusalReason.OBSERVE_ONLY),
            (Autonomy.SHADOW, RefusalReason.SHADOW),
            (Autonomy.ASK, RefusalReason.NEEDS_APPROVAL),
        ],
    )
    def test_refuses(self, level, reason):
        shut(autonomy(proposal(about=service(autonomy=level))), reason)

    def test_passes(self):
        assert is_open(autonomy(proposal()))

    def test_the_host_has_no_level(self):
        assert is_open(autonomy(Proposal(issue=issue(), situation=situation(), diagnosis=diagnosis())))


class TestKnownCause:
    def test_passes(self):
        assert is_open(known_cause(proposal()))

    def test_no_cause_refuses(self):
        assert (
            "odd" in shut(known_cause(proposal(found=diagnosis(None, note="odd"))), RefusalReason.UNDETERMINED).message
        )

    def test_unknown_data_refuses_even_with_a_cause(self):
        shut(known_cause(proposal(unknown="the bus is gone")), RefusalReason.UNKNOWN_DATA)


class TestStrategy:
    def test_passes(self):
        assert is_open(strategy(proposal()))

    def test_none_refuses(self):
        shut(strategy(proposal(remedy=None)), RefusalReason.NO_STRATEGY)

    def test_nothing_to_do_refuses(self):
        shut(strategy(proposal(steps=())), RefusalReason.NOTHING_TO_DO)

    def test_a_failed_parent_is_named(self):
        found = diagnosis(Cause.PARENT_FAILED)
        about = service(parents_down=("db",))
        refusal = shut(strategy(proposal(remedy=None, found=found, about=about)), RefusalReason.PARENT_FAILED)
        assert "db" in refusal.message


class TestSignals:
    @pytest.mark.parametrize(
        "found",
        [diagnosis(signals=("http", "tcp")), diagnosis(signals=("process",), certain=True)],
    )
    def test_two_or_a_certain_one_pass(self, found):
        assert is_open(signals(proposal(found=found)))

    @pytest.mark.parametrize("seen", [("http",), ()])
    def test_a_single_uncertain_one_refuses(self, seen):
        shut(signals(proposal(found=diagnosis(signals=seen))), RefusalReason.TOO_FEW_SIGNALS)

    def test_what_interrupts_nothing_needs_no_second(self):
        assert is_open(signals(proposal(remedy="start", found=diagnosis(signals=("http",)))))

    def test_without_a_strategy_there_is_nothing_to_ask(self):
        assert is_open(signals(proposal(remedy=None, found=diagnosis(signals=()))))


class TestConfidence:
    @pytest.mark.parametrize("sure", [85.0, 100.0])
    def test_passes(self, sure):
        assert is_open(confidence(proposal(sure=sure)))

    @pytest.mark.parametrize("sure", [84.99, 0.0])
    def test_refuses(self, sure):
        shut(confidence(proposal(sure=sure)), RefusalReason.LOW_CONFIDENCE)

    def test_what_is_no_number_is_not_sure(self):
        shut(confidence(proposal(sure=float("nan"))), RefusalReason.LOW_CONFIDENCE)


class TestConsent:
    removal = (RemoveFiles(root="/srv", files=("/srv/a.1",), total_bytes=1),)

    def test_what_destroys_nothing_passes(self):
        assert is_open(consent(proposal()))

    def test_standing_consent_passes(self):
        assert is_open(consent(proposal("free-disk-space", steps=self.removal)))

    def test_destroying_without_consent_refuses(self):
        shut(consent(proposal("restart", steps=self.removal)), RefusalReason.IRREVERSIBLE)

    def test_destroying_with_nobody_to_have_consented_refuses(self):
        shut(consent(proposal(None, steps=self.removal)), RefusalReason.IRREVERSIBLE)


def test_nothing_that_exists_writes_a_file():
    assert is_open(backup(proposal()))


class TestCooldown:
    def test_nothing_before_passes(self):
        assert is_open(cooldown(proposal()))

    def test_a_fix_that_lasted_passes_at_once(self):
        assert is_open(cooldown(proposal(past=(past_fix(ago_s=30.0),))))

    @pytest.mark.parametrize(("ago_s", "opened"), [(0.5, False), (9.9, False), (10.0, True), (11.0, True)])
    def test_one_that_died_soon_after_its_fix_waits(self, ago_s, opened):
        past = (past_fix(ago_s=ago_s, outcome=Outcome.INEFFECTIVE),)
        answer = cooldown(proposal(past=past))
        assert (answer.refusal is None) is opened
        if not opened:
            assert shut(answer, RefusalReason.COOLDOWN).retry_at == pytest.approx(WALL + 10.0 - ago_s)

    def test_the_wait_doubles_and_is_capped(self):
        limits = GateLimits(restart_max=100, cooldown_first_s=10.0, cooldown_cap_s=35.0)

        def wait_s(times):
            past = tuple(past_fix(ago_s=float(times - n), outcome=Outcome.INEFFECTIVE) for n in range(times))
            return cooldown(proposal(past=past, limits=limits)).refusal.retry_at - WALL + 1.0

        assert [wait_s(times) for times in (1, 2, 3, 4, 40)] == pytest.approx([10.0, 20.0, 35.0, 35.0, 35.0])

    @pytest.mark.parametrize(("luck", "wait_s"), [(0.0, 9.0), (1.0, 11.0)])
    def test_luck_spreads_the_wait(self, luck, wait_s):
        past = (past_fix(ago_s=0.0, outcome=Outcome.INEFFECTIVE),)
        assert cooldown(proposal(past=past, luck=luck)).refusal.retry_at == pytest.approx(WALL + wait_s)

    def test_healthy_time_resets_it(self):
        limits = GateLimits(restart_max=100, cooldown_first_s=1e6, cooldown_cap_s=1e6, healthy_reset_s=300.0)
        past = (past_fix(ago_s=301.0, outcome=Outcome.INEFFECTIVE),)
        assert is_open(cooldown(proposal(past=past, limits=limits)))

    def test_the_restart_limit_parks_until_a_slow_retry(self):
        past = tuple(past_fix(ago_s=ago_s) for ago_s in (200.0, 150.0, 100.0))
        refusal = shut(cooldown(proposal(past=past)), RefusalReason.RESTART_LIMIT, park=True)
        assert refusal.retry_at == WALL + LIMITS.park_retry_s

    def test_old_fixes_do_not_count_towards_the_limit(self):
        assert is_open(cooldown(proposal(past=tuple(past_fix(ago_s=ago_s) for ago_s in (301.0, 150.0, 100.0)))))

    def test_fixes_of_another_service_do_not_count(self):
        assert is_open(cooldown(proposal(past=tuple(past_fix(ago_s=1.0, service="db") for _ in range(9)))))

    def test_an_outcome_that_is_not_known_is_not_taken_for_healed(self):
        past = (past_fix(ago_s=5.0, outcome=Outcome.UNVERIFIED),)
        shut(cooldown(proposal(past=past)), RefusalReason.COOLDOWN)
        shut(cooldown(proposal(past=(past_fix(ago_s=5.0, outcome=None),))), RefusalReason.COOLDOWN)


class TestRecurrence:
    many = tuple(past_fix("restart", ago_s=400.0 + n) for n in range(3))

    def test_passes(self):
        assert is_open(recurrence(proposal(past=self.many[:2])))

    def test_a_healing_loop_is_parked(self):
        shut(recurrence(proposal(past=self.many)), RefusalReason.HEALING_LOOP, park=True)

    def test_a_start_interrupts_nothing(self):
        assert is_open(recurrence(proposal("start", past=self.many)))

    def test_another_issue_and_an_old_one_do_not_count(self):
        past = (past_fix(ago_s=3601.0), past_fix(ago_s=10.0, issue_key="other"), past_fix(ago_s=10.0))
        assert recurrences(proposal(past=past)) == 1

    def test_without_a_strategy_there_is_nothing_to_ask(self):
        assert is_open(recurrence(proposal(None, past=self.many)))


class TestBlastRadius:
    limits = GateLimits(acts_per_hour_service=2, acts_per_hour_host=3)

    def acts(self, *services, ago_s=60.0, disruptive=True):
        return tuple(past_fix(service=name, ago_s=ago_s, disruptive=disruptive) for name in services)

    @pytest.mark.parametrize("used", [(), ("web",), ("db", "db"), ("web", "db")])
    def test_within_the_budget_passes(self, used):
        assert is_open(blast_radius(proposal(past=self.acts(*used), limits=self.limits)))

    @pytest.mark.parametrize("used", [("web", "web"), ("a", "b", "c")])
    def test_a_budget_that_is_used_up_parks(self, used):
        shut(blast_radius(proposal(past=self.acts(*used), limits=self.limits)), RefusalReason.BLAST_RADIUS, park=True)

    def test_what_interrupts_nothing_is_free(self):
        assert is_open(blast_radius(proposal("start", past=self.acts("web", "web", "web"), limits=self.limits)))

    def test_only_disruptive_acts_of_the_last_hour_count(self):
        past = self.acts("web", "web", ago_s=3601.0) + self.acts("web", "web", "web", disruptive=False)
        assert is_open(blast_radius(proposal(past=past, limits=self.limits)))

    def test_a_breaker_that_tripped_stays_open_without_any_act(self):
        refusal = shut(blast_radius(proposal(tripped="30 acts an hour")), RefusalReason.BLAST_RADIUS, park=True)
        assert "30 acts an hour" in refusal.message


class TestDependencies:
    def test_passes(self):
        assert is_open(dependencies(proposal()))

    def test_a_failed_parent_is_healed_first(self):
        refusal = shut(dependencies(proposal(about=service(parents_down=("db", "cache")))), RefusalReason.PARENT_FAILED)
        assert "db, cache" in refusal.message

    def test_what_is_no_service_depends_on_nothing(self):
        assert is_open(dependencies(Proposal(issue=issue(), situation=situation(), diagnosis=diagnosis())))
