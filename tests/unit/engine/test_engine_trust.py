"""What is learned from fixes and from people, and the score of shadow mode."""

from dataclasses import replace

import pytest

from autonomyd.engine.history import WHOLE_HOST, FixHistory
from autonomyd.engine.trust import Trust
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.plan import Autonomy, GateName, Plan, Refusal, RefusalReason, Risk
from autonomyd.model.step import RestartService, StartService
from autonomyd.model.trust import LessonKind, ShadowVerdict
from autonomyd.testing import ManualClock, issue

ANNA = "uid=1000 pid=7"
PLAN = Plan(
    strategy="restart", cause=Cause.PROCESS_HUNG, steps=(RestartService(service="web"),), confidence=92.0,
    risk=Risk.MEDIUM, disruptive=True, reversible=True, service="web", issue_id=1, preview=("restart web",),
)  # fmt: skip
SHADOW = Refusal(reason=RefusalReason.SHADOW, message="it is in shadow mode", gate=GateName.AUTONOMY, wanted=PLAN)


class Bench:
    def __init__(self):
        self.clock, self.lessons, self.cases, self.diary = ManualClock(), [], {}, []
        self.level = Autonomy.ACT
        self.trust = self.open()

    def open(self):
        return Trust(
            clock=self.clock, record=self.lessons.append, record_shadow=self._shadow,
            tell=lambda *words: self.diary.append(words), configured=lambda service: self.level,
            verify_s=lambda service: 60.0,
        )  # fmt: skip

    def _shadow(self, case):
        self.cases[case.key] = case

    def fix(self, outcome=Outcome.HEALED, *, number=1, plan=PLAN, actor="autonomyd"):
        return Fix(
            id=number, plan=replace(plan, issue_id=number if plan.issue_id else None), state=FixState.COMMITTED,
            actor=actor, started_at=self.clock.wall(), ended_at=self.clock.wall(), outcome=outcome,
        )  # fmt: skip

    def shadow(self, number=1):
        about = issue(id=number)
        self.trust.shadowed(about, replace(SHADOW, wanted=replace(PLAN, issue_id=number)))
        return about

    @property
    def row(self):
        (row,) = self.trust.report().rows
        return row


def test_every_end_of_a_fix_that_was_decided_on_teaches():
    bench = Bench()
    for number, outcome in enumerate(Outcome, start=1):
        bench.trust.fix_moved(bench.fix(outcome, number=number))
    assert [lesson.kind.value for lesson in bench.lessons] == [outcome.value for outcome in Outcome]
    assert (bench.row.healed, bench.row.total) == (1, 4), "what could not be verified is kept, and counts for nothing"


def test_what_is_not_over_or_was_asked_for_teaches_nothing():
    bench = Bench()
    bench.trust.fix_moved(replace(bench.fix(), ended_at=None, outcome=None))
    bench.trust.fix_moved(bench.fix(plan=replace(PLAN, cause=Cause.REQUESTED, issue_id=None), actor=ANNA))
    assert bench.lessons == []


def test_a_fall_is_told_and_lasts_over_a_restart_until_a_person_raises_it():
    bench = Bench()
    for number in range(1, 4):
        bench.trust.ended(bench.fix(Outcome.INEFFECTIVE, number=number))
    assert bench.trust.earned("web") == {"restart": Autonomy.ASK}
    assert bench.diary[-1][0] == "trust_lost"
    assert (bench.row.configured, bench.row.level) == (Autonomy.ACT, Autonomy.ASK)
    assert bench.row.quarantined_until == bench.clock.wall() + 86400.0
    bench.trust = bench.open()
    bench.trust.restore(list(bench.lessons), (), ())
    assert bench.trust.earned("web") == {"restart": Autonomy.ASK}
    bench.trust.raise_again("web", "", actor=ANNA)
    assert bench.trust.earned("web") == {}
    assert bench.diary[-1][3] == ANNA
    bench.trust = bench.open()
    bench.trust.restore(list(bench.lessons), (), ())
    assert bench.row.level is Autonomy.ACT
    assert bench.row.quarantined_until is None


def test_a_rollback_and_a_denial_by_a_person_are_failures():
    bench = Bench()
    made = bench.fix()
    bench.trust.ended(made)
    bench.trust.undone(made, actor=ANNA)
    assert (bench.row.healed, bench.row.total) == (0, 1)
    assert bench.row.level is Autonomy.ASK
    bench.trust.denied(PLAN, 3, actor=ANNA)
    assert (bench.row.healed, bench.row.total) == (0, 2)
    assert [lesson.kind for lesson in bench.lessons[1:]] == [LessonKind.UNDONE, LessonKind.DENIED]
    assert all(lesson.actor == ANNA for lesson in bench.lessons[1:])


def test_a_lesson_that_a_crash_cut_off_is_learned_at_the_next_start():
    bench = Bench()
    fixes = [bench.fix(number=1), bench.fix(Outcome.INEFFECTIVE, number=2)]
    bench.trust.ended(fixes[0])
    bench.trust = bench.open()
    bench.trust.restore(list(bench.lessons), (), fixes)
    assert (bench.row.healed, bench.row.total) == (1, 2)
    assert [lesson.fix_id for lesson in bench.lessons] == [1, 2]


def test_shadow_mode_notes_once_what_it_would_have_done():
    bench = Bench()
    bench.shadow()
    bench.shadow()
    bench.trust.shadowed(issue(), PLAN)
    bench.trust.shadowed(issue(), replace(SHADOW, reason=RefusalReason.OBSERVE_ONLY))
    (case,) = bench.cases.values()
    assert (case.plan.strategy, case.verdict) == ("restart", ShadowVerdict.PENDING)


def verdict_of(bench):
    return bench.cases["1:restart"].verdict


def test_well_again_by_itself_means_it_was_not_needed():
    bench = Bench()
    about = bench.shadow()
    bench.clock.advance(59.0)
    bench.trust.settle()
    bench.trust.over(about)
    assert verdict_of(bench) is ShadowVerdict.UNNEEDED
    assert (bench.row.shadow_right, bench.row.shadow_total, bench.row.score) == (0, 1, 0.0)


def test_still_broken_means_it_would_likely_have_helped():
    bench = Bench()
    bench.shadow()
    bench.clock.advance(60.0)
    bench.trust.settle()
    assert verdict_of(bench) is ShadowVerdict.HELPFUL
    bench.shadow()
    assert bench.row.shadow_total == 1, "one case a problem"


@pytest.mark.parametrize(("steps", "agreed"), [(RestartService, True), (StartService, False)])
def test_a_person_who_does_the_same_agrees(steps, agreed):
    bench = Bench()
    bench.shadow()
    asked = replace(PLAN, cause=Cause.REQUESTED, steps=(steps(service="web"),), issue_id=None)
    bench.trust.fix_moved(bench.fix(plan=asked, actor="start-up"))
    assert verdict_of(bench) is ShadowVerdict.PENDING
    bench.trust.fix_moved(bench.fix(plan=asked, actor=ANNA))
    assert (verdict_of(bench) is ShadowVerdict.AGREED) is agreed


def test_what_happened_while_nobody_looked_is_not_scored():
    bench = Bench()
    bench.shadow(1)
    bench.clock.advance(30.0)
    bench.shadow(2)
    bench.clock.advance(40.0)
    kept = list(bench.cases.values())
    bench.trust = bench.open()
    bench.trust.restore((), kept, ())
    assert verdict_of(bench) is ShadowVerdict.UNSCORED
    bench.clock.advance(20.0)
    bench.trust.settle()
    assert bench.cases["2:restart"].verdict is ShadowVerdict.HELPFUL
    assert (bench.row.shadow_right, bench.row.shadow_total) == (1, 1)


def test_five_right_cases_speak_for_the_next_level():
    bench = Bench()
    bench.level = Autonomy.SHADOW
    for number in range(1, 6):
        bench.shadow(number)
    assert bench.row.proposed is Autonomy.SHADOW
    bench.clock.advance(60.0)
    bench.trust.settle()
    assert (bench.row.proposed, bench.row.why) == (Autonomy.ASK, "5 of 5 times it would have been right")


def test_a_breaker_that_tripped_is_told_and_stays_until_a_person_resets_it():
    clock, told = ManualClock(), []
    history = FixHistory(clock)
    history.on_trip = told.append
    history.trip("web", "12 acts")
    assert (history.tripped("web"), history.tripped("db"), history.tripped(None)) == ("12 acts", "", "")
    clock.advance(1e6)
    history.restore_tripped(told[-1])
    assert history.tripped("web") == "12 acts"
    history.trip(WHOLE_HOST, "30 acts")
    assert history.tripped("db") == history.tripped(None) == "30 acts"
    history.add(Bench().fix(), issue())
    history.forgive()
    assert history.tripped("web") == ""
    assert told[-1] == {}
    assert history.forgiven_at == clock.monotonic()
