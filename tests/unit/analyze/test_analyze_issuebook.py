"""The issue machine: one open issue a key, only along the allowed ways, resolved exactly once."""

import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from autonomyd.analyze.issuebook import ALLOWED, IssueBook, WrongTransition
from autonomyd.model.health import Severity
from autonomyd.model.issue import Finding, IssueState, IssueType
from autonomyd.model.subject import Subject, service_subject

KEYS = [(kind, service_subject(name)) for kind in (IssueType.SERVICE_DOWN, IssueType.HIGH_LATENCY) for name in "ab"]


def finding(kind=IssueType.SERVICE_DOWN, subject=None, summary="it is down", **more):
    given = {"severity": Severity.CRITICAL, "metric": "process", "summary": summary}
    return Finding(type=kind, subject=subject or service_subject("web"), **(given | more))


class Heard:
    def __init__(self):
        self.changes, self.next = [], 0
        self.book = IssueBook(next_id=self.number, listen=lambda issue, move: self.changes.append((issue, move)))

    def number(self):
        self.next += 1
        return self.next

    def moves(self, issue_id):
        return [(move.before, move.after) for issue, move in self.changes if move and issue.id == issue_id]


@pytest.fixture
def heard():
    return Heard()


def test_the_same_problem_twice_is_one_issue_that_was_seen_twice(heard):
    first, new = heard.book.report(finding(), wall_now=10.0)
    again, new_again = heard.book.report(finding(summary="still down"), wall_now=20.0)
    assert (new, new_again) == (True, False)
    assert (again.id, again.occurrences, again.opened_at, again.updated_at) == (first.id, 2, 10.0, 20.0)
    assert again.summary == "still down"
    assert len(heard.book.open_issues()) == 1
    assert heard.moves(first.id) == [("", "open")]


def test_what_is_resolved_is_a_new_issue_when_it_comes_back(heard):
    first, _ = heard.book.report(finding(), wall_now=10.0)
    heard.book.clear(first.key, cause="well again", wall_now=11.0)
    second, new = heard.book.report(finding(), wall_now=12.0)
    assert new
    assert second.id != first.id
    assert heard.book.resolved_count == 1


def test_a_clear_during_a_fix_leaves_the_issue_to_its_verification(heard):
    issue, _ = heard.book.report(finding(), wall_now=1.0)
    for state in (IssueState.DIAGNOSED, IssueState.PLANNED, IssueState.FIXING):
        issue = heard.book.move(issue, state, cause="", wall_now=2.0)
    assert heard.book.clear(issue.key, cause="", wall_now=3.0) is None
    issue = heard.book.move(issue, IssueState.VERIFYING, cause="", wall_now=4.0)
    assert heard.book.clear(issue.key, cause="", wall_now=5.0) is None
    assert heard.book.move(issue, IssueState.RESOLVED, cause="", wall_now=6.0).resolved_at == 6.0


def test_a_resolved_issue_can_not_be_moved_again_by_who_still_holds_it(heard):
    held, _ = heard.book.report(finding(), wall_now=1.0)
    heard.book.clear(held.key, cause="well again", wall_now=2.0)
    with pytest.raises(WrongTransition):
        heard.book.move(held, IssueState.DIAGNOSED, cause="", wall_now=3.0)
    with pytest.raises(WrongTransition):
        heard.book.move(held, IssueState.RESOLVED, cause="", wall_now=3.0)
    assert heard.book.open_issues() == ()
    assert heard.book.resolved_count == 1


def test_who_holds_an_old_issue_does_not_move_its_successor(heard):
    old, _ = heard.book.report(finding(), wall_now=1.0)
    heard.book.clear(old.key, cause="well again", wall_now=2.0)
    new, _ = heard.book.report(finding(), wall_now=3.0)
    with pytest.raises(WrongTransition):
        heard.book.move(old, IssueState.DIAGNOSED, cause="", wall_now=4.0)
    assert heard.book.amend(old, wall_now=0.0, attempts=7) == old
    assert heard.book.get(new.id) == new


def test_only_a_change_that_people_see_is_told(heard):
    heard.book.report(finding(), wall_now=1.0)
    heard.changes.clear()
    heard.book.report(finding(), wall_now=2.0)
    assert heard.changes == []
    heard.book.report(finding(severity=Severity.WARNING), wall_now=3.0)
    assert [move for _, move in heard.changes] == [None]


def test_restoring_takes_back_what_was_open(heard):
    issue, _ = heard.book.report(finding(), wall_now=1.0)
    done = heard.book.clear(issue.key, cause="", wall_now=2.0)
    other, _ = heard.book.report(finding(subject=service_subject("db")), wall_now=3.0)
    fresh = Heard()
    fresh.book.restore([done, other])
    assert fresh.book.open_issues() == (other,)
    assert fresh.book.find(other.key) == other
    assert fresh.book.of_subject(Subject("service:db")) == (other,)


def test_tries_are_noted(heard):
    issue, _ = heard.book.report(finding(), wall_now=1.0)
    assert heard.book.amend(issue, wall_now=0.0, attempts=2, next_try_at=50.0).next_try_at == 50.0
    changed = heard.book.amend(issue, wall_now=0.0, next_try_at=None)
    assert (changed.attempts, changed.next_try_at) == (2, None)


class IssueMachine(RuleBasedStateMachine):
    """Any order of findings, clears and moves."""

    @initialize()
    def begin(self):
        self.heard, self.wall, self.held = Heard(), 0.0, []

    @property
    def book(self):
        return self.heard.book

    def tick(self):
        self.wall += 1.0
        return self.wall

    @rule(key=st.sampled_from(KEYS), summary=st.sampled_from(["bad", "worse"]))
    def report(self, key, summary):
        issue, _ = self.book.report(finding(key[0], key[1], summary), wall_now=self.tick())
        self.held.append(issue)

    @rule(key=st.sampled_from(KEYS))
    def clear(self, key):
        self.book.clear((key[0], key[1], "process"), cause="", wall_now=self.tick())

    @rule(data=st.data(), state=st.sampled_from(list(IssueState)))
    def move(self, data, state):
        if not self.held:
            return
        issue = data.draw(st.sampled_from(self.held))  # as it was when it was held: often out of date
        now = self.book.get(issue.id)
        try:
            moved = self.book.move(issue, state, cause="", wall_now=self.tick())
        except WrongTransition:
            assert now is None or state not in ALLOWED[now.state]
        else:
            assert now is not None
            assert state is now.state or state in ALLOWED[now.state]
            assert moved.state is state

    @rule(data=st.data(), attempts=st.integers(0, 5))
    def amend(self, data, attempts):
        if self.held:
            self.book.amend(data.draw(st.sampled_from(self.held)), wall_now=0.0, attempts=attempts)

    @invariant()
    def at_most_one_open_issue_a_key(self):
        keys = [issue.key for issue in self.book.open_issues()]
        assert len(keys) == len(set(keys))
        assert all(issue.is_open for issue in self.book.open_issues())

    @invariant()
    def every_story_is_told_whole_and_along_the_allowed_ways(self):
        resolved = 0
        for number in range(1, self.heard.next + 1):
            moves = self.heard.moves(number)
            assert moves[0] == ("", "open")
            for earlier, later in itertools.pairwise(moves):
                assert later[0] == earlier[1]
                assert IssueState(later[1]) in ALLOWED[IssueState(later[0])]
            ends = [move for move in moves if move[1] == "resolved"]
            assert len(ends) <= 1
            assert (self.book.get(number) is None) is bool(ends)
            resolved += len(ends)
        assert self.book.resolved_count == resolved


TestIssueMachine = IssueMachine.TestCase
TestIssueMachine.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
