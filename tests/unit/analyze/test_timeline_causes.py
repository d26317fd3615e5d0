"""What the times of changes say about the configuration and the release as causes: for, and against."""

from dataclasses import replace

from autonomyd.analyze.causes.changed import SUSPECT, UNREAD_YET, changed_causes
from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import GoodFile, ReleaseFacts
from autonomyd.model.subject import Subject
from autonomyd.model.timeline import Change, ChangeKind, Coincidence
from autonomyd.testing import service, situation

WEB = Subject("service:web")


def found(why, *, confidence, kind=ChangeKind.CONFIG, subject=WEB):
    change = Change(at=0.0, kind=kind, subject=subject, what="app.toml")
    return Coincidence(change=change, at=0.0, after_s=40.0 if confidence else -40.0, confidence=confidence, why=why)


DUE = found("began 40 s after app.toml changed", confidence=93.0)
LATE = found("began 40 s before app.toml changed", confidence=0.0)


def judged(*changes, release=False):
    now = situation(service())
    if release:
        now = replace(now, release=ReleaseFacts(link="/srv/current", now="v2", good="v1"), changes=changes)
    else:
        file = GoodFile(
            path="/etc/app.toml",
            good_sha256="a",
            good_at=0.0,
            now_sha256="b",
            changed_at=None,
            aside="/etc/app.toml.aside",
            diff_sha256="c",
        )
        now = replace(now, config=(file,), changes=changes)
    (cause,) = changed_causes(now)
    return cause


def test_an_edit_shortly_before_the_begin_speaks_for_it():
    cause = judged(DUE)
    assert cause.cause is Cause.CONFIG_CHANGED
    assert cause.confidence == SUSPECT
    assert DUE.why in cause.supports
    assert cause.contradicts == ()


def test_an_edit_after_the_begin_speaks_against_it():
    cause = judged(LATE)
    assert cause.confidence == UNREAD_YET
    assert cause.contradicts == ("began 40 s before app.toml changed: it is not the cause",)


def test_who_repairs_something_edits_it_again():
    cause = judged(DUE, LATE)
    assert cause.confidence == SUSPECT
    assert cause.contradicts == ()


def test_another_services_changes_and_other_kinds_say_nothing():
    other = found("began 9 s before x changed", confidence=0.0, subject=Subject("service:other"))
    release = found("began 9 s before the release v2 was put in use", confidence=0.0, kind=ChangeKind.RELEASE)
    assert judged(other, release).contradicts == ()
    assert judged(release, release=True).confidence == UNREAD_YET
    assert judged(DUE, release=True).confidence == SUSPECT
