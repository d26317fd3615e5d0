"""The strategies for databases as data: facts in, steps out."""

from dataclasses import replace

import pytest

from autonomyd.analyze.diagnosis import diagnose
from autonomyd.execute.playbooks.optimize_sqlite import TidySqlite
from autonomyd.execute.playbooks.terminate_sessions import MOST, EndBlockingSessions
from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import SessionFacts, SqliteFile
from autonomyd.model.issue import IssueType
from autonomyd.model.step import OptimizeSqlite, TerminateSessions
from autonomyd.model.subject import Subject
from autonomyd.testing import issue, service, situation

OVERLOAD = issue(IssueType.DATABASE_OVERLOAD, subject=Subject("service:web"), metric="holding_age_s")
END, TIDY = EndBlockingSessions(), TidySqlite()
MB = 1_000_000


def session(id_=7, check="postgres", **more):
    given = {"check": check, "id": id_, "kind": "idle_in_transaction", "age_s": 90.0, "blocks": 2, "query": "update t"}
    return SessionFacts(**given | more)


def file(**more):
    given = {"check": "sqlite", "path": "/srv/a.db", "bytes": 9 * MB, "log_bytes": 3 * MB, "unused_bytes": 8 * MB}
    return SqliteFile(**given | more)


def facts(**more):
    return situation(service=service(), **more)


def test_the_sessions_of_each_server_are_one_step():
    found = facts(sessions=(session(7), session(8, kind="blocking"), session(9, check="mysql")))
    steps = END.steps(OVERLOAD, found)
    assert [(step.check, step.sessions) for step in steps if isinstance(step, TerminateSessions)] == [
        ("postgres", (7, 8)),
        ("mysql", (9,)),
    ]
    assert END.preview(OVERLOAD, found)[0] == "end session 7 (idle in its transaction for 90 s, 2 waiting for it)"


def test_too_many_sessions_are_for_a_person():
    found = facts(sessions=tuple(session(id_) for id_ in range(MOST + 1)))
    assert END.steps(OVERLOAD, found) == ()
    assert "a person should look" in END.why_nothing(OVERLOAD, found)


@pytest.mark.parametrize(
    ("sqlite", "steps"),
    [
        (file(log_over=True), (OptimizeSqlite(path="/srv/a.db"),)),
        (file(unused_over=True), ()),
        (file(unused_over=True, may_rebuild=True), ()),
        (file(unused_over=True, may_rebuild=True, room=True), (OptimizeSqlite(path="/srv/a.db", vacuum=True),)),
        (file(log_over=True, unused_over=True), (OptimizeSqlite(path="/srv/a.db"),)),
        (file(), ()),
    ],
)
def test_a_file_is_tidied_as_far_as_it_is_allowed(sqlite, steps):
    found = facts(sqlite=(sqlite,))
    assert TIDY.steps(OVERLOAD, found) == steps
    assert bool(TIDY.preview(OVERLOAD, found)) == bool(steps)


def test_why_a_file_is_not_rebuilt():
    assert "vacuum = true" in TIDY.why_nothing(OVERLOAD, facts(sqlite=(file(unused_over=True),)))
    full = facts(sqlite=(file(unused_over=True, may_rebuild=True),))
    assert "not enough free disk" in TIDY.why_nothing(OVERLOAD, full)


@pytest.mark.parametrize(
    ("metric", "given", "cause"),
    [
        ("holding_age_s", {"sessions": (session(),)}, Cause.BLOCKED_SESSIONS),
        ("memory_percent", {"sessions": (session(),)}, None),
        ("wal_mb", {"sqlite": (file(log_over=True),)}, Cause.SQLITE_BLOATED),
        ("wal_mb", {"sqlite": (file(),)}, None),
        ("size_mb", {"sqlite": (file(log_over=True),)}, None),
        ("holding_age_s", {}, None),
    ],
)
def test_the_cause_is_what_the_database_itself_tells(metric, given, cause):
    found = diagnose(replace(OVERLOAD, metric=metric), facts(**given))
    assert (found.cause.cause if found.cause else None) == cause
    assert found.note or found.certain
