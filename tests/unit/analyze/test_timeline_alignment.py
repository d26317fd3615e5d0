"""Which change a trouble may be due to: order and distance in time, nearness, kind, and how common changes are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.analyze.timeline import (
    HORIZON_S,
    MOST,
    MOST_CONFIDENCE,
    aligned,
    change_of,
    change_of_fix,
    likely,
    phrase,
)
from autonomyd.model.diagnosis import Cause
from autonomyd.model.event import Event
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.issue import Transition
from autonomyd.model.plan import Plan, Risk
from autonomyd.model.subject import HOST, Subject
from autonomyd.model.timeline import Change, ChangeKind

WEB, DB, OTHER = Subject("service:web"), Subject("service:db"), Subject("service:other")
AT = 1.7e9


def change(ago_s, *, kind=ChangeKind.CONFIG, subject=WEB, what="app.toml"):
    return Change(at=AT - ago_s, kind=kind, subject=subject, what=what)


def one(found, *, subject=WEB, **more):
    (only,) = aligned(AT, subject, [found], **more)
    return only


def test_began_40_s_after_app_toml_changed():
    found = one(change(40))
    assert found.why == "began 40 s after app.toml changed"
    assert found.after_s == 40
    assert found.confidence > 90
    assert likely([found]) is found


def test_the_longer_ago_the_less_likely():
    confidences = [one(change(ago_s)).confidence for ago_s in (1, 60, 300, 900, 1800, 3500)]
    assert confidences == sorted(confidences, reverse=True)
    assert confidences[0] > 90
    assert confidences[-1] < 5
    assert aligned(AT, WEB, [change(HORIZON_S + 1)]) == ()


def test_what_came_after_the_begin_is_no_cause_and_says_so():
    found = one(change(-30))
    assert found.confidence == 0
    assert found.why == "began 30 s before app.toml changed"
    assert likely([found]) is None
    assert aligned(AT, WEB, [change(-30, kind=ChangeKind.RESTART)]) == ()  # a restart follows a trouble by itself
    assert aligned(AT, WEB, [change(-30, subject=OTHER)]) == ()


def test_an_onset_that_is_not_known_exactly_may_lie_before_the_change():
    assert one(change(-30), within_s=60).confidence > 90
    assert one(change(0)).why == "began at the moment of app.toml changed"


def test_its_own_change_goes_before_that_of_what_it_needs_of_the_machine_and_of_a_stranger():
    near = [one(change(300, subject=subject), needs=(DB,)).confidence for subject in (WEB, DB, HOST, OTHER)]
    assert near == sorted(near, reverse=True)
    assert near[1] > near[2] > 50 > near[3]


def test_a_release_goes_before_a_restart_and_a_pause_is_hardly_a_cause():
    kinds = (ChangeKind.RELEASE, ChangeKind.PACKAGE, ChangeKind.RESTART, ChangeKind.OPERATOR, ChangeKind.DAEMON)
    found = [one(change(60, kind=kind)).confidence for kind in kinds]
    assert found == sorted(found, reverse=True)
    assert found[-1] < 50


def test_a_machine_with_a_change_a_minute_proves_nothing():
    busy = [change(60.0 * minute + 20, what=f"file {minute}") for minute in range(1440)]
    found = aligned(AT, WEB, busy)
    assert len(found) == MOST
    assert likely(found) is None
    assert found[0].confidence < 20


def test_of_two_changes_the_nearer_is_first_and_they_share_the_certainty():
    found = aligned(AT, WEB, [change(200, what="old"), change(20, what="new")])
    assert [each.change.what for each in found] == ["new", "old"]
    assert sum(each.confidence for each in found) <= 100


@given(
    st.lists(
        st.tuples(st.floats(-1e5, 1e5), st.sampled_from(ChangeKind), st.sampled_from([WEB, DB, HOST])), max_size=60
    )
)
def test_confidences_are_a_distribution(rows):
    found = aligned(AT, WEB, [Change(at=AT - ago, kind=kind, subject=subject, what="x") for ago, kind, subject in rows])
    assert all(0 <= each.confidence <= MOST_CONFIDENCE for each in found)
    assert sum(each.confidence for each in found) <= 100.5
    assert len(found) <= 2 * MOST


@pytest.mark.parametrize(
    ("kind", "message", "expected"),
    [
        ("config_changed", "/etc/web/app.toml", (ChangeKind.CONFIG, "app.toml changed")),
        (
            "release_changed",
            "/srv/current -> releases/7",
            (ChangeKind.RELEASE, "the release releases/7 was put in use"),
        ),
        ("packages_changed", "nginx 1.24 to 1.26", (ChangeKind.PACKAGE, "the package change nginx 1.24 to 1.26")),
        ("service_restart_requested", "web", (ChangeKind.RESTART, "a restart by hand")),
        ("pause", "automation is paused: lunch", (ChangeKind.OPERATOR, "the pause")),
        ("pause", "automation goes on", (ChangeKind.OPERATOR, "the end of the pause")),
        ("machine_booted", "the machine was booted", (ChangeKind.RESTART, "the boot of the machine")),
        ("config_changed", "{} {x} %s", (ChangeKind.CONFIG, "{} {x} %s changed")),
    ],
)
def test_lines_of_the_diary_that_are_changes(kind, message, expected):
    found = change_of(Event(at=AT, kind=kind, subject=WEB, message=message))
    assert (found.kind, phrase(found)) == expected


@pytest.mark.parametrize("kind", ["service_state", "issue_opened", "alert_sent", "daemon_stopped", "", "level_shifted"])
def test_other_lines_are_none(kind):
    assert change_of(Event(at=AT, kind=kind, subject=WEB, message="up to down")) is None


def fix(*, issue_id=7, states=("approved", "applying", "applied"), outcome=Outcome.HEALED):
    moves = tuple(
        Transition(at=AT + number, before="", after=state, cause="", actor="autonomyd")
        for number, state in enumerate(states)
    )
    plan = Plan(
        strategy="restart",
        cause=Cause.PROCESS_HUNG,
        service="web",
        steps=(),
        confidence=90,
        risk=Risk.LOW,
        disruptive=True,
        reversible=True,
        issue_id=issue_id,
    )
    return Fix(
        id=1, plan=plan, state=FixState.COMMITTED, actor="autonomyd", started_at=AT, outcome=outcome, transitions=moves
    )


def test_a_fix_changes_something_from_the_moment_in_which_it_is_applied():
    found = change_of_fix(fix())
    assert (found.at, found.kind, found.subject, found.what) == (
        AT + 1,
        ChangeKind.FIX,
        WEB,
        "the fix restart (healed)",
    )
    assert change_of_fix(fix(states=("approved",))) is None
    assert change_of_fix(fix(issue_id=None)) is None


def test_a_fix_is_no_cause_of_what_it_was_made_for_nor_of_what_began_before_it():
    made = change_of_fix(fix())
    assert made.for_issue == 7
    assert aligned(made.at + 20, WEB, [made], issue=7) == ()
    (other,) = aligned(made.at + 20, WEB, [made], issue=8)
    assert likely([other]) is other
    (shift,) = aligned(made.at + 20, WEB, [made])
    assert likely([shift]) is shift
    assert aligned(made.at - 0.3, WEB, [made], issue=8) == ()
    assert aligned(made.at - 0.3, WEB, [made], within_s=5.0)  # the onset of a shift is not known better


def test_whose_change_it_was_is_told_unless_it_is_its_own_or_the_machines():
    whys = [one(change(40, subject=each), needs=(DB,)).why for each in (WEB, DB, HOST)]
    assert whys == [f"began 40 s after app.toml changed{of}" for of in ("", " (of db)", "")]
