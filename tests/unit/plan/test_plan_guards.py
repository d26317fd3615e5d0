"""Every gate: an input that passes, one that fails, and one that is inconclusive (unknown, stale, missing): it stays
shut then."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from autonomyd.execute.playbooks import BUNDLED
from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import GateLimits, PauseFacts
from autonomyd.model.fix import Outcome
from autonomyd.model.issue import IssueType
from autonomyd.model.plan import Autonomy, GateName, Plan, RefusalReason, Risk
from autonomyd.model.service import Intent, RunState
from autonomyd.model.step import RemoveFiles, RunCommand, StartService, WriteFile
from autonomyd.model.trust import ConsentFacts, Experience
from autonomyd.model.window import MaintenanceWindow
from autonomyd.plan.guards import GUARDS
from autonomyd.plan.guards.autonomy import autonomy
from autonomyd.plan.guards.backup import backup
from autonomyd.plan.guards.blast_radius import blast_radius
from autonomyd.plan.guards.cause import known_cause
from autonomyd.plan.guards.confidence import confidence
from autonomyd.plan.guards.consent import consent
from autonomyd.plan.guards.cooldown import cooldown
from autonomyd.plan.guards.dependencies import dependencies
from autonomyd.plan.guards.flapping import flapping
from autonomyd.plan.guards.paused import paused
from autonomyd.plan.guards.recurrence import recurrence, recurrences
from autonomyd.plan.guards.signals import signals
from autonomyd.plan.guards.strategy import strategy
from autonomyd.plan.proposal import Proposal
from autonomyd.testing import MONOTONIC, WALL, check, diagnosis, issue, past_fix, service, situation

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


def approved(name="restart", *, cause=Cause.PROCESS_GONE, steps=()):
    """What a person said yes to."""
    plan = Plan(
        strategy=name, cause=cause, steps=steps, confidence=60.0, risk=Risk.MEDIUM, disruptive=True, reversible=True
    )
    return ConsentFacts(approved=plan, approval=1, actor="anna")


def standing(name, cause):
    return ConsentFacts(standing={(name, cause): "anna"})


def around_now(begin_h, end_h, **more):
    """A daily window, in hours from now."""
    midnight = datetime.fromtimestamp(WALL, UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    now_s = int(WALL - midnight)
    begin_s, end_s = ((now_s + hours * 3600) % 86400 for hours in (begin_h, end_h))
    return MaintenanceWindow(begin_s=begin_s, end_s=end_s, zone=UTC, **more)


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
        GateName.CONFIDENCE, GateName.CONSENT, GateName.BACKUP, GateName.COOLDOWN, GateName.FLAPPING,
        GateName.RECURRENCE, GateName.BLAST_RADIUS, GateName.DEPENDENCIES,
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

    def test_a_maintenance_window_refuses_until_its_end(self):
        window = around_now(-1, 1, reason="release night")
        refusal = shut(paused(proposal(windows=(window,))), RefusalReason.MAINTENANCE)
        assert refusal.retry_at == pytest.approx(WALL + 3600.0, abs=1.0)
        assert "release night" in refusal.message

    def test_a_window_that_is_over_or_to_come_passes(self):
        assert is_open(paused(proposal(windows=(around_now(-2, -1), around_now(1, 2)))))

    def test_a_pause_that_says_it_is_over_but_was_not_ended_still_holds(self):
        shut(paused(proposal(pause=PauseFacts(paused=True, until=WALL - 1))), RefusalReason.PAUSED)

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

    @pytest.mark.parametrize("level", [Autonomy.OBSERVE, Autonomy.SHADOW])
    def test_no_word_of_a_person_moves_those_that_never_act(self, level):
        given = standing("restart", Cause.PROCESS_GONE)
        answer = autonomy(proposal(about=service(autonomy=level), consent=given))
        assert answer.refusal is not None

    def test_ask_passes_for_exactly_what_was_approved(self):
        asks = service(autonomy=Autonomy.ASK)
        assert is_open(autonomy(proposal(about=asks, consent=approved(steps=STEPS))))
        for other in (approved(steps=()), approved("start", steps=STEPS), approved(cause=Cause.PROCESS_HUNG)):
            shut(autonomy(proposal(about=asks, consent=other)), RefusalReason.NEEDS_APPROVAL)

    def test_ask_passes_with_standing_consent_for_this_remedy_and_cause(self):
        asks = service(autonomy=Autonomy.ASK)
        assert "anna" in autonomy(proposal(about=asks, consent=standing("restart", Cause.PROCESS_GONE))).result.saw
        for other in (standing("start", Cause.PROCESS_GONE), standing("restart", Cause.PROCESS_HUNG)):
            shut(autonomy(proposal(about=asks, consent=other)), RefusalReason.NEEDS_APPROVAL)

    @pytest.mark.parametrize(
        ("earned", "reason"),
        [(Autonomy.ASK, RefusalReason.NEEDS_APPROVAL), (Autonomy.SHADOW, RefusalReason.SHADOW)],
    )
    def test_lost_trust_holds_what_could_do_harm(self, earned, reason):
        refusal = shut(autonomy(proposal(earned={"restart": earned}, about=service())), reason)
        assert "trust --raise web" in refusal.message

    def test_lost_trust_of_another_remedy_holds_nothing(self):
        assert is_open(autonomy(proposal(earned={"start": Autonomy.ASK})))

    def test_what_is_configured_lower_stays_lower(self):
        shut(
            autonomy(proposal(about=service(autonomy=Autonomy.SHADOW), earned={"restart": Autonomy.ASK})),
            RefusalReason.SHADOW,
        )

    def test_lost_trust_does_not_keep_a_dead_service_down(self):
        assert is_open(autonomy(proposal("start", earned={"start": Autonomy.ASK})))
        running = service(RunState.RUNNING)
        shut(autonomy(proposal("start", about=running, earned={"start": Autonomy.ASK})), RefusalReason.NEEDS_APPROVAL)
        asks = service(RunState.GONE, autonomy=Autonomy.ASK)
        shut(autonomy(proposal("start", about=asks, earned={"start": Autonomy.SHADOW})), RefusalReason.SHADOW)

    def test_without_a_strategy_only_the_configuration_counts(self):
        assert is_open(autonomy(proposal(None, earned={"restart": Autonomy.ASK})))

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

    def test_a_service_of_which_nobody_knows_whether_it_runs_refuses(self):
        shut(known_cause(proposal(about=service(RunState.UNKNOWN))), RefusalReason.UNKNOWN_DATA)

    def test_failures_that_are_stale_refuse(self):
        def unhealthy(*checks):
            return replace(proposal(about=service(checks=checks)), issue=issue(IssueType.SERVICE_UNHEALTHY))

        silent = check("http", failing=True, known=False)
        shut(known_cause(unhealthy(silent)), RefusalReason.UNKNOWN_DATA)
        assert is_open(known_cause(unhealthy(silent, check("tcp", failing=True))))
        assert is_open(known_cause(unhealthy()))


class TestStrategy:
    def test_passes(self):
        assert is_open(strategy(proposal()))

    def test_none_refuses(self):
        shut(strategy(proposal(remedy=None)), RefusalReason.NO_STRATEGY)

    def test_a_fact_that_could_not_be_read_refuses_and_is_named(self):
        refusal = shut(strategy(proposal(unread={"service": "no permission"})), RefusalReason.UNKNOWN_DATA)
        assert "no permission" in refusal.message
        assert refusal.retry_at is not None
        assert is_open(strategy(proposal(unread={"sessions": "no permission"})))

    def test_remedies_that_are_all_ruled_out_are_told(self):
        ruled_out = replace(proposal(remedy=None), passed_over=("restart: a person denied it",))
        assert "denied" in shut(strategy(ruled_out), RefusalReason.NO_STRATEGY).message

    def test_nothing_to_do_refuses(self):
        shut(strategy(proposal(steps=())), RefusalReason.NOTHING_TO_DO)

    def test_a_failed_parent_is_named(self):
        found = diagnosis(Cause.PARENT_FAILED)
        about = service(parents_down=("db",), parents_unsure=("db", "cache"))
        refusal = shut(strategy(proposal(remedy=None, found=found, about=about)), RefusalReason.PARENT_FAILED)
        assert "it waits for db, cache," in refusal.message, "each once"


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

    def test_a_person_can_decide(self):
        assert is_open(confidence(proposal(sure=60.0, consent=approved(steps=STEPS))))
        assert is_open(confidence(proposal(sure=60.0, consent=standing("restart", Cause.PROCESS_GONE))))
        shut(confidence(proposal(sure=60.0, consent=approved("start", steps=STEPS))), RefusalReason.LOW_CONFIDENCE)

    def test_failures_do_not_keep_a_dead_service_down(self):
        assert is_open(confidence(proposal("start", sure=80.0)))
        shut(confidence(proposal("start", sure=80.0, about=service())), RefusalReason.LOW_CONFIDENCE)
        guess = diagnosis(confidence=80.0)
        shut(confidence(proposal("start", sure=80.0, found=guess)), RefusalReason.LOW_CONFIDENCE)

    def test_what_was_learned_is_shown_with_its_counts(self):
        known = {(Cause.PROCESS_GONE, "restart"): Experience(total=10, healed=8, points=6.0)}
        assert confidence(proposal(learned=known)).result.saw == "99 (+6 learned: 8 of 10 healed here)"
        few = {(Cause.PROCESS_GONE, "restart"): Experience(total=2, healed=2)}
        assert "2 of 2" in confidence(proposal(learned=few)).result.saw

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

    def test_a_person_who_saw_exactly_these_steps_can_consent(self):
        assert is_open(consent(proposal(steps=self.removal, consent=approved(steps=self.removal))))
        other = (RemoveFiles(root="/srv", files=("/srv/b.1",), total_bytes=1),)
        shut(consent(proposal(steps=self.removal, consent=approved(steps=other))), RefusalReason.IRREVERSIBLE)

    def test_a_command_without_a_way_back_refuses(self):
        shut(consent(proposal(steps=(RunCommand(argv=("true",)),))), RefusalReason.IRREVERSIBLE)
        assert is_open(consent(proposal(steps=(RunCommand(argv=("true",), undo=("false",)),))))

    def test_a_strategy_that_declares_itself_irreversible_refuses(self):
        about = proposal()
        declared = replace(STRATEGIES["restart"], reversible=False)
        shut(consent(replace(about, strategy=declared)), RefusalReason.IRREVERSIBLE)

    def test_destroying_with_nobody_to_have_consented_refuses(self):
        shut(consent(proposal(None, steps=self.removal)), RefusalReason.IRREVERSIBLE)


class TestBackup:
    write = WriteFile(path="/etc/app.conf", sha256="a" * 64, before_sha256="b" * 64)

    def test_what_writes_no_file_passes(self):
        assert is_open(backup(proposal()))

    def test_plain_paths_that_are_written_once_pass(self):
        command = RunCommand(argv=("x",), writes=("/etc/other",))
        answer = backup(proposal(steps=(self.write, command, replace(command, argv=("y",)))))
        assert is_open(answer)
        assert answer.result.saw == "2 files, saved first"

    def test_two_steps_on_one_file_refuse(self):
        twice = (self.write, RunCommand(argv=("x",), writes=("/etc/app.conf",)))
        shut(backup(proposal(steps=twice)), RefusalReason.NO_BACKUP, park=True)

    @pytest.mark.parametrize("path", ["app.conf", "/etc/../app.conf", "/etc//app.conf", "/etc/", "", "~/app.conf"])
    def test_a_path_of_which_it_is_not_certain_what_it_means_refuses(self, path):
        shut(backup(proposal(steps=(replace(self.write, path=path),))), RefusalReason.NO_BACKUP, park=True)


class TestCooldown:
    def test_nothing_before_passes(self):
        assert is_open(cooldown(proposal()))

    def test_a_fix_that_lasted_passes_at_once(self):
        assert is_open(cooldown(proposal("start", past=(past_fix(ago_s=30.0),))))

    @pytest.mark.parametrize(("ago_s", "opened"), [(0.5, False), (9.9, False), (10.0, True), (11.0, True)])
    def test_one_that_died_soon_after_its_fix_waits(self, ago_s, opened):
        past = (past_fix(ago_s=ago_s, outcome=Outcome.INEFFECTIVE),)
        answer = cooldown(proposal("start", past=past))
        assert (answer.refusal is None) is opened
        if not opened:
            assert shut(answer, RefusalReason.COOLDOWN).retry_at == pytest.approx(WALL + 10.0 - ago_s)

    def test_the_wait_doubles_and_is_capped(self):
        limits = GateLimits(restart_max=100, cooldown_first_s=10.0, cooldown_cap_s=35.0)

        def wait_s(times):
            past = tuple(past_fix(ago_s=float(times - n), outcome=Outcome.INEFFECTIVE) for n in range(times))
            return cooldown(proposal("start", past=past, limits=limits)).refusal.retry_at - WALL + 1.0

        assert [wait_s(times) for times in (1, 2, 3, 4, 40)] == pytest.approx([10.0, 20.0, 35.0, 35.0, 35.0])

    @pytest.mark.parametrize(("luck", "wait_s"), [(0.0, 9.0), (1.0, 11.0)])
    def test_luck_spreads_the_wait(self, luck, wait_s):
        past = (past_fix(ago_s=0.0, outcome=Outcome.INEFFECTIVE),)
        assert cooldown(proposal("start", past=past, luck=luck)).refusal.retry_at == pytest.approx(WALL + wait_s)

    def test_healthy_time_resets_it(self):
        limits = GateLimits(restart_max=100, cooldown_first_s=1e6, cooldown_cap_s=1e6, healthy_reset_s=300.0)
        past = (past_fix(ago_s=301.0, outcome=Outcome.INEFFECTIVE),)
        assert is_open(cooldown(proposal("start", past=past, limits=limits)))

    def test_the_next_rung_of_the_ladder_waits_for_nothing(self):
        failed = (past_fix("restart", ago_s=0.1, outcome=Outcome.INEFFECTIVE),)
        assert is_open(cooldown(proposal("kill-and-start", past=failed)))
        shut(cooldown(proposal("restart", past=failed)), RefusalReason.COOLDOWN)

    def test_only_tries_of_the_same_remedy_make_it_wait_longer(self):
        past = (
            past_fix("restart", ago_s=3.0, outcome=Outcome.INEFFECTIVE),
            past_fix("kill-and-start", ago_s=2.0, outcome=Outcome.INEFFECTIVE),
        )
        limits = replace(LIMITS, cooldown_first_s=10.0)
        refusal = shut(cooldown(proposal("restart", past=past, limits=limits)), RefusalReason.COOLDOWN)
        assert refusal.retry_at == pytest.approx(WALL + 7.0)

    def test_four_failed_starts_fit_into_the_default_waits(self):
        ends = (4.0, 3.8, 3.2, 2.2)
        past = tuple(past_fix(ago_s=ago_s, outcome=Outcome.INEFFECTIVE) for ago_s in ends)
        assert is_open(cooldown(proposal("start", past=past, limits=GateLimits())))
        waits = [GateLimits().cooldown_first_s * GateLimits().cooldown_factor ** n for n in range(4)]
        assert sum(waits) * 1.1 < 4.0

    def test_the_restart_limit_parks_until_a_slow_retry(self):
        past = tuple(past_fix(ago_s=ago_s) for ago_s in (200.0, 150.0, 100.0))
        refusal = shut(cooldown(proposal("start", past=past)), RefusalReason.RESTART_LIMIT, park=True)
        assert refusal.retry_at == WALL + LIMITS.park_retry_s

    def test_what_left_the_process_alone_does_not_count_against_a_start(self):
        past = tuple(past_fix("rotate-logs", ago_s=ago_s, beside=True) for ago_s in (200.0, 150.0, 100.0))
        assert is_open(cooldown(proposal("start", past=past)))

    def test_old_fixes_do_not_count_towards_the_limit(self):
        assert is_open(
            cooldown(proposal("start", past=tuple(past_fix(ago_s=ago_s) for ago_s in (301.0, 150.0, 100.0))))
        )

    def test_fixes_of_another_service_do_not_count(self):
        assert is_open(cooldown(proposal("start", past=tuple(past_fix(ago_s=1.0, service="db") for _ in range(9)))))

    def test_an_outcome_that_is_not_known_is_not_taken_for_healed(self):
        past = (past_fix(ago_s=5.0, outcome=Outcome.UNVERIFIED),)
        shut(cooldown(proposal("start", past=past)), RefusalReason.COOLDOWN)
        shut(cooldown(proposal("start", past=(past_fix(ago_s=5.0, outcome=None),))), RefusalReason.COOLDOWN)


class TestFlapping:
    limits = GateLimits(flapping_max=4, flapping_within_s=600.0)

    def deaths(self, *ago_s):
        return proposal(
            "start", about=service(RunState.GONE, deaths=tuple(MONOTONIC - s for s in ago_s)), limits=self.limits
        )

    def test_one_fall_is_said_as_one(self):
        assert flapping(self.deaths(300.0)).result.saw == "1 fall in 10 min"

    def test_few_falls_pass(self):
        assert is_open(flapping(self.deaths(500.0, 300.0, 0.0)))

    def test_many_suspend_healing_until_the_span_has_passed(self):
        refusal = shut(flapping(self.deaths(500.0, 300.0, 100.0, 0.0)), RefusalReason.FLAPPING, park=True)
        assert refusal.retry_at == WALL + self.limits.park_retry_s

    def test_old_falls_are_forgotten(self):
        assert is_open(flapping(self.deaths(900.0, 700.0, 100.0, 0.0)))

    def test_fixes_count_like_deaths_that_were_not_seen(self):
        past = tuple(
            past_fix(ago_s=ago_s, outcome=outcome)
            for ago_s, outcome in (
                (500.0, Outcome.HEALED),
                (300.0, None),
                (200.0, Outcome.UNVERIFIED),
                (100.0, Outcome.HEALED),
            )
        )
        shut(flapping(proposal("start", past=past, limits=self.limits)), RefusalReason.FLAPPING, park=True)

    def test_a_death_and_its_fix_are_one_fall(self):
        about = service(RunState.GONE, deaths=(MONOTONIC - 300.0, MONOTONIC - 100.0))
        past = (past_fix(ago_s=299.0), past_fix(ago_s=99.0))
        assert is_open(flapping(proposal("start", about=about, past=past, limits=self.limits)))

    def test_what_is_no_service_does_not_flap(self):
        assert is_open(flapping(Proposal(issue=issue(), situation=situation(), diagnosis=diagnosis())))


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

    def test_a_breaker_that_tripped_holds_even_what_interrupts_nothing(self):
        shut(blast_radius(proposal("start", tripped="30 acts an hour")), RefusalReason.BLAST_RADIUS, park=True)

    def test_an_act_whose_outcome_is_not_known_counts(self):
        past = tuple(past_fix(disruptive=True, outcome=outcome) for outcome in (None, Outcome.UNVERIFIED))
        shut(blast_radius(proposal(past=past, limits=self.limits)), RefusalReason.BLAST_RADIUS, park=True)

    def test_a_breaker_that_tripped_stays_open_without_any_act(self):
        refusal = shut(blast_radius(proposal(tripped="30 acts an hour")), RefusalReason.BLAST_RADIUS, park=True)
        assert "30 acts an hour" in refusal.message


class TestDependencies:
    def test_passes(self):
        assert is_open(dependencies(proposal()))

    def test_a_failed_parent_is_waited_for(self):
        refusal = shut(dependencies(proposal(about=service(parents_down=("db", "cache")))), RefusalReason.PARENT_FAILED)
        assert "waits for db, cache" in refusal.message
        assert "healed" not in refusal.message, "a parent that is only observed is not healed by anybody"

    def test_a_parent_of_which_nothing_is_known_since_is_waited_for(self):
        refusal = shut(
            dependencies(proposal(about=service(RunState.RUNNING, parents_unsure=("db",)))), RefusalReason.PARENT_FAILED
        )
        assert WALL < refusal.retry_at <= WALL + 1.0

    def test_a_process_that_is_gone_needs_no_other_explanation(self):
        assert is_open(dependencies(proposal(about=service(RunState.GONE, parents_unsure=("db",)))))

    def test_what_is_no_service_depends_on_nothing(self):
        assert is_open(dependencies(Proposal(issue=issue(), situation=situation(), diagnosis=diagnosis())))
