"""Goals: what the state asks for, how progress is measured, and the state machine."""

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.model.goal import Goal, GoalPriority, GoalState, GoalType
from autonomyd.model.subject import Subject
from autonomyd.plan.goals import (
    DAEMON_METRIC,
    DAY_S,
    HOUR_S,
    DiskFacts,
    GoalInputs,
    GoalLimits,
    ServiceNeeds,
    advance,
    generate,
    newcomers,
    progress,
)

LIMITS = GoalLimits()
VAR = Subject("disk:/var")
VAR_METRIC = "disk:/var/disk.used_percent"
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def disk(used: float, fills_in_s: float | None = None, *, cleaned: bool = False) -> DiskFacts:
    return DiskFacts(subject=VAR, metric=VAR_METRIC, used_percent=used, fills_in_s=fills_in_s, cleaned=cleaned)


def goal(number: int = 1, **changes: object) -> Goal:
    base = Goal(
        id=number,
        description="fewer",
        target_metrics={"application/queue": 10.0},
        baseline={"application/queue": 110.0},
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def one(state: GoalInputs) -> Goal:
    (found,) = generate(state)
    return found


# --- generate ----------------------------------------------------------------------------------------------------


def test_a_calm_machine_needs_no_goal() -> None:
    service = ServiceNeeds(name="web", failures=0, checks=1)
    state = GoalInputs(
        limits=LIMITS, disks=(disk(40.0),), services=(service,), memory_percent=30.0, daemon_percent=0.05
    )
    assert generate(state) == ()


def test_a_full_disk_is_a_goal_with_its_target_and_baseline() -> None:
    found = one(GoalInputs(limits=LIMITS, disks=(disk(91.0),)))
    assert (found.key, found.type) == ("disk:/var", GoalType.RELIABILITY)
    assert found.target_metrics == {VAR_METRIC: 80.0}
    assert found.baseline == {VAR_METRIC: 91.0}
    assert any("[[cleanup]]" in words for words in found.actions)


def test_a_disk_begins_above_the_target_and_ends_at_it() -> None:
    assert generate(GoalInputs(limits=LIMITS, disks=(disk(84.0),))) == ()
    assert one(GoalInputs(limits=LIMITS, disks=(disk(84.0),), open=frozenset({"disk:/var"}))).key == "disk:/var"


@pytest.mark.parametrize(
    ("used", "fills_in_s", "priority"),
    [
        (98.0, None, GoalPriority.CRITICAL),
        (60.0, 5 * HOUR_S, GoalPriority.CRITICAL),
        (93.0, None, GoalPriority.HIGH),
        (60.0, 20 * HOUR_S, GoalPriority.HIGH),
        (86.0, None, GoalPriority.MEDIUM),
        (60.0, 2 * DAY_S, GoalPriority.MEDIUM),
        (60.0, 6 * DAY_S, GoalPriority.LOW),
    ],
)
def test_the_priority_of_a_disk_follows_from_how_near_the_harm_is(
    used: float, fills_in_s: float | None, priority: GoalPriority
) -> None:
    assert one(GoalInputs(limits=LIMITS, disks=(disk(used, fills_in_s),))).priority is priority


def test_a_disk_that_fills_within_the_horizon_aims_at_time() -> None:
    found = one(GoalInputs(limits=LIMITS, disks=(disk(60.0, 2 * DAY_S),)))
    assert found.target_metrics == {"disk:/var/full_in_days": 14.0}
    assert found.baseline == {"disk:/var/full_in_days": 2.0}
    assert generate(GoalInputs(limits=LIMITS, disks=(disk(60.0, 8 * DAY_S),))) == ()


def test_a_service_that_fails_often() -> None:
    def of(failures: int, **more: bool) -> tuple[Goal, ...]:
        service = ServiceNeeds(name="web", failures=failures, checks=1, **more)
        return generate(GoalInputs(limits=LIMITS, services=(service,)))

    assert of(2) == ()
    (found,) = of(3)
    assert found.target_metrics == {"service:web/failures_per_day": 0.0}
    assert found.priority is GoalPriority.MEDIUM
    assert of(6)[0].priority is GoalPriority.HIGH
    assert of(6, down=True)[0].priority is GoalPriority.CRITICAL


def test_a_service_without_a_check_is_told_the_line_to_write() -> None:
    services = (ServiceNeeds(name="web"),)
    found = one(GoalInputs(limits=LIMITS, services=services))
    assert found.type is GoalType.KNOWLEDGE
    assert found.target_metrics == {"service:web/checks": 1.0}
    assert "[services.web]: checks = [{ type =" in found.actions[0]
    assert generate(GoalInputs(limits=replace(LIMITS, suggest_checks=False), services=services)) == ()


def test_the_daemons_own_cost_and_pressure_of_memory() -> None:
    assert one(GoalInputs(limits=LIMITS, daemon_percent=0.2)).target_metrics == {DAEMON_METRIC: 0.1}
    assert one(GoalInputs(limits=LIMITS, memory_percent=96.0)).priority is GoalPriority.HIGH
    assert one(GoalInputs(limits=LIMITS, swap_percent=85.0)).key == "swap"


def test_the_most_urgent_comes_first() -> None:
    state = GoalInputs(limits=LIMITS, disks=(disk(98.0),), services=(ServiceNeeds(name="web"),), daemon_percent=0.2)
    assert [each.priority for each in generate(state)] == [5, 2, 1]


# --- progress ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("baseline", "target", "value", "expected"),
    [
        (110.0, 10.0, 110.0, 0.0),
        (110.0, 10.0, 60.0, 0.5),
        (110.0, 10.0, 10.0, 1.0),
        (110.0, 10.0, 5.0, 1.0),
        (110.0, 10.0, 200.0, 0.0),
        (0.0, 4.0, 1.0, 0.25),
        (0.0, 4.0, 9.0, 1.0),
        (4.0, 4.0, 4.0, 1.0),
        (4.0, 4.0, 5.0, 0.0),
    ],
)
def test_progress_is_measured_from_baseline_to_target(
    baseline: float, target: float, value: float, expected: float
) -> None:
    assert progress(goal(target_metrics={"m": target}, baseline={"m": baseline}), {"m": value}) == expected


def test_progress_is_unknown_without_values_and_not_whole_with_some() -> None:
    two = goal(target_metrics={"a": 0.0, "b": 0.0}, baseline={"a": 1.0, "b": 1.0})
    assert progress(two, {}) is None
    assert progress(two, {"a": math.nan}) is None
    assert progress(two, {"a": 0.0}) == 0.5
    assert progress(two, {"a": 0.0, "b": 0.0}) == 1.0


@given(
    targets=st.dictionaries(st.sampled_from("abc"), FINITE, min_size=1),
    baseline=st.dictionaries(st.sampled_from("abc"), FINITE),
    values=st.dictionaries(st.sampled_from("abcd"), FINITE | st.just(math.nan)),
)
def test_progress_is_between_0_and_1(
    targets: Mapping[str, float], baseline: Mapping[str, float], values: Mapping[str, float]
) -> None:
    found = progress(goal(target_metrics=targets, baseline=baseline), values)
    assert found is None or 0.0 <= found <= 1.0


@given(baseline=FINITE, target=FINITE, one=FINITE, other=FINITE)
def test_progress_never_falls_on_the_way_to_the_target(
    baseline: float, target: float, one: float, other: float
) -> None:
    nearer, farther = (one, other) if (one >= other) is (target >= baseline) else (other, one)
    made = goal(target_metrics={"m": target}, baseline={"m": baseline})
    if baseline != target:
        ahead, behind = progress(made, {"m": nearer}), progress(made, {"m": farther})
        assert ahead is not None
        assert behind is not None
        assert ahead >= behind
        assert progress(made, {"m": target}) == 1.0
        assert progress(made, {"m": baseline}) == 0.0


# --- advance -----------------------------------------------------------------------------------------------------


def states(goals: tuple[Goal, ...]) -> list[GoalState]:
    return [each.state for each in goals]


def test_one_at_a_time_by_priority_then_age() -> None:
    goals = (
        goal(1, created_at=5.0),
        goal(2, created_at=1.0),
        goal(3, created_at=0.0, priority=GoalPriority.LOW),
    )
    moved = advance(goals, {}, 10.0)
    assert states(moved) == [GoalState.PENDING, GoalState.IN_PROGRESS, GoalState.PENDING]
    again = advance(moved, {}, 20.0)
    assert all(one is other for one, other in zip(again, moved, strict=True))


def test_a_more_urgent_one_goes_first_and_an_equal_one_waits() -> None:
    (current,) = advance((goal(1),), {}, 1.0)
    moved = advance((current, goal(2)), {}, 2.0)
    assert states(moved) == [GoalState.IN_PROGRESS, GoalState.PENDING]
    moved = advance((*moved, goal(3, priority=GoalPriority.CRITICAL, description="disk")), {}, 3.0)
    assert states(moved) == [GoalState.PENDING, GoalState.PENDING, GoalState.IN_PROGRESS]
    assert moved[0].result == "waits for a more urgent one: disk"


def test_it_is_completed_when_the_target_is_reached_and_the_next_one_begins() -> None:
    goals = advance((goal(1), goal(2, target_metrics={"other": 1.0}, baseline={})), {}, 1.0)
    half = advance(goals, {"application/queue": 60.0}, 2.0)
    assert half[0].progress == 0.5
    done = advance(half, {"application/queue": 9.0}, 3.0)
    assert states(done) == [GoalState.COMPLETED, GoalState.IN_PROGRESS]
    assert done[0].result == "reached: application/queue is 9"
    assert advance(done, {"application/queue": 500.0}, 4.0)[0] is done[0]


def test_the_baseline_is_the_first_known_value() -> None:
    bare = goal(target_metrics={"m": 0.0}, baseline={})
    (unseen,) = advance((bare,), {}, 1.0)
    assert unseen.progress is None
    (seen,) = advance((unseen,), {"m": 8.0}, 2.0)
    assert (seen.baseline, seen.progress) == ({"m": 8.0}, 0.0)
    (later,) = advance((seen,), {"m": 2.0}, 3.0)
    assert later.progress == 0.75
    assert advance((later,), {}, 4.0)[0].progress == 0.75


def test_noise_below_a_percent_changes_nothing() -> None:
    (first,) = advance((goal(),), {"application/queue": 60.0}, 1.0)
    assert advance((first,), {"application/queue": 59.9}, 2.0)[0] is first


def test_it_fails_without_progress_for_too_long() -> None:
    (made,) = advance((goal(updated_at=0.0),), {}, 10.0)
    assert advance((made,), {}, 10.0 + DAY_S - 1.0, expire_s=DAY_S)[0].state is GoalState.IN_PROGRESS
    ended = advance((made,), {}, 10.0 + DAY_S, expire_s=DAY_S)[0]
    assert (ended.state, ended.result) == (GoalState.FAILED, "no progress for 1 days")


def test_progress_puts_the_failure_off_and_a_setback_does_not() -> None:
    (made,) = advance((goal(),), {"application/queue": 60.0}, 100.0)
    assert made.updated_at == 100.0
    (back,) = advance((made,), {"application/queue": 90.0}, 200.0)
    assert (back.progress, back.updated_at) == (0.2, 100.0)


def test_it_is_cancelled_when_its_condition_is_gone_but_not_when_it_is_reached() -> None:
    (made,) = advance((goal(key="k"),), {}, 1.0)
    gone = {"k": "web is no longer configured"}
    assert advance((made,), {"application/queue": 0.0}, 2.0, gone=gone)[0].state is GoalState.COMPLETED
    ended = advance((made,), {}, 2.0, gone=gone)[0]
    assert (ended.state, ended.result) == (GoalState.CANCELLED, "web is no longer configured")


def test_it_is_planned_anew_when_the_context_changes() -> None:
    filling = one(GoalInputs(limits=LIMITS, disks=(disk(60.0, 6 * DAY_S),)))
    (made,) = advance((replace(filling, id=1),), {"disk:/var/full_in_days": 6.0}, 1.0)
    sooner = one(GoalInputs(limits=LIMITS, disks=(disk(70.0, HOUR_S),), open=frozenset({"disk:/var"})))
    (urgent,) = advance((made,), {"disk:/var/full_in_days": HOUR_S / DAY_S}, 2.0, fresh=(sooner,))
    assert urgent.priority is GoalPriority.CRITICAL
    assert urgent.baseline == made.baseline
    assert urgent.result == "re-planned: low became critical"
    full = one(GoalInputs(limits=LIMITS, disks=(disk(95.0),), open=frozenset({"disk:/var"})))
    (other,) = advance((urgent,), {VAR_METRIC: 95.0}, 3.0, fresh=(full,))
    assert (other.id, other.state) == (1, GoalState.IN_PROGRESS)
    assert (other.target_metrics, other.baseline, other.progress) == ({VAR_METRIC: 80.0}, {VAR_METRIC: 95.0}, 0.0)


def test_newcomers_find_room_and_no_double() -> None:
    held = (goal(1, key="a", state=GoalState.IN_PROGRESS), goal(2, key="b", state=GoalState.COMPLETED))
    fresh = tuple(goal(0, key=key) for key in "abcd")
    assert [each.key for each in newcomers(held, fresh, max_open=3)] == ["b", "c"]
    assert [each.key for each in newcomers(held, fresh, max_open=9, never={"c"})] == ["b", "d"]
    assert newcomers(held, fresh, max_open=1) == ()
