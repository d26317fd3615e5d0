"""The pause and the memory of finished fixes."""

import pytest

from autonomyd.engine.history import MAX_PAST, FixHistory
from autonomyd.engine.pause import PauseSwitch
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.plan import Plan, Risk
from autonomyd.model.status import PauseStatus
from autonomyd.testing import MONOTONIC, WALL, ManualClock, issue


@pytest.fixture
def clock():
    return ManualClock()


def test_a_pause_with_an_end_ends_and_is_told(clock):
    told = []
    switch = PauseSwitch(clock, on_change=told.append)
    switch.pause(for_s=60.0, reason="release", actor="uid=1000")
    clock.advance(59.9)
    switch.expire()
    assert (switch.facts().paused, switch.facts().until, switch.facts().reason) == (True, WALL + 60.0, "release")
    clock.advance(0.1)
    switch.expire()
    switch.expire()
    assert not switch.facts().paused
    assert [(each.paused, each.actor) for each in told] == [(True, "uid=1000"), (False, "autonomyd")]


def test_a_pause_without_an_end_lasts_until_a_person_resumes(clock):
    switch = PauseSwitch(clock)
    switch.pause(for_s=None, reason="", actor="x")
    clock.advance(1e9)
    switch.expire()
    assert switch.facts().paused
    switch.resume(actor="uid=0")
    assert (switch.status.paused, switch.status.actor) == (False, "uid=0")


@pytest.mark.parametrize("wall", [0.0, 9e9])
def test_setting_the_clock_neither_shortens_nor_lengthens_a_pause(clock, wall):
    switch = PauseSwitch(clock)
    switch.pause(for_s=60.0, reason="", actor="x")
    clock.set_wall(wall)
    switch.expire()
    assert switch.facts().paused
    clock.advance(60.0)
    switch.expire()
    assert not switch.facts().paused


@pytest.mark.parametrize(("until", "after_s"), [(WALL + 30.0, 30.0), (WALL - 30.0, 0.0)])
def test_a_pause_of_the_last_run_goes_on(clock, until, after_s):
    switch = PauseSwitch(clock)
    switch.restore(PauseStatus(paused=True, until=until, reason="release"))
    assert switch.facts().paused
    clock.advance(after_s)
    switch.expire()
    assert not switch.facts().paused


def test_a_new_pause_replaces_the_old_one(clock):
    switch = PauseSwitch(clock)
    switch.pause(for_s=10.0, reason="", actor="x")
    switch.pause(for_s=None, reason="", actor="x")
    clock.advance(1000.0)
    switch.expire()
    assert switch.facts().paused


def fix(number=1, *, ended_at=WALL, disruptive=True):
    plan = Plan(
        strategy="restart", cause=Cause.PROCESS_HUNG, steps=(), confidence=90.0, risk=Risk.MEDIUM,
        disruptive=disruptive, reversible=True, service="web", issue_id=1,
    )  # fmt: skip
    return Fix(
        id=number, plan=plan, state=FixState.COMMITTED, actor="x", started_at=1.0, ended_at=ended_at,
        outcome=Outcome.HEALED,
    )  # fmt: skip


def test_a_fix_that_ended_now(clock):
    history = FixHistory(clock)
    history.add(fix(), issue())
    (past,) = history.past
    assert (past.at, past.issue_key, past.service) == (MONOTONIC, "service_down|service:web|process", "web")
    assert (past.strategy, past.outcome, past.disruptive) == ("restart", Outcome.HEALED, True)


def test_what_earlier_runs_did_keeps_its_age(clock):
    history = FixHistory(clock)
    history.restore(
        [(fix(1, ended_at=WALL - 500.0), "a"), (fix(2, ended_at=WALL + 9.0), "b"), (fix(3, ended_at=None), "c")]
    )
    assert [(past.issue_key, past.at) for past in history.past] == [("a", MONOTONIC - 500.0), ("b", MONOTONIC)]


def test_a_reset_by_a_person_frees_the_budget_and_keeps_what_was_learned(clock):
    history = FixHistory(clock)
    history.add(fix(), issue())
    history.forgive()
    (past,) = history.past
    assert not past.disruptive
    assert past.at < MONOTONIC - 3600.0
    assert (past.strategy, past.outcome, past.issue_key) == ("restart", Outcome.HEALED, "")


def test_it_is_bounded(clock):
    history = FixHistory(clock)
    for number in range(MAX_PAST + 5):
        history.add(fix(number), issue())
    assert len(history.past) == MAX_PAST
