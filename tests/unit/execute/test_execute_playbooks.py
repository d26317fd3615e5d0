"""Playbooks as data: facts in, steps out."""

import pytest

from autonomyd.execute.playbooks import BUNDLED
from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import CleanupPreview
from autonomyd.model.issue import IssueType
from autonomyd.model.service import RunState
from autonomyd.model.step import CallStrategy, RemoveFiles, RestartService, StartService, StopService
from autonomyd.model.subject import Subject
from autonomyd.testing import issue, service, situation

BY_NAME = {each.name: each for each in BUNDLED}
DISK = issue(IssueType.RESOURCE_EXHAUSTION, subject=Subject("disk:/var"))


def preview(files=("/var/log/a.2", "/var/log/a.1"), **more):
    return CleanupPreview(**{"root": "/var/log", "files": files, "total_bytes": 5_000_000} | more)


TABLE = [
    ("start", service(RunState.GONE), {}, (StartService(service="web"),)),
    ("start", service(RunState.RUNNING), {}, ()),
    ("start", service(RunState.UNKNOWN), {}, ()),
    ("start", service(RunState.FROZEN), {}, ()),
    ("start", None, {}, ()),
    ("restart", service(), {}, (RestartService(service="web"),)),
    ("restart", None, {}, ()),
    ("kill-and-start", service(RunState.FROZEN), {}, (StopService(service="web", force=True), StartService(service="web"))),  # noqa: E501
    ("kill-and-start", None, {}, ()),
    (
        "free-disk-space",
        None,
        {"cleanup": preview()},
        (RemoveFiles(root="/var/log", files=("/var/log/a.2", "/var/log/a.1"), total_bytes=5_000_000),),
    ),
    ("free-disk-space", None, {"cleanup": preview(files=())}, ()),
    ("free-disk-space", None, {"cleanup": preview(incomplete="no permission to see who has files open")}, ()),
    ("free-disk-space", None, {}, ()),
    ("custom", None, {"custom_strategy": "high_latency"}, (CallStrategy(name="high_latency"),)),
    ("custom", None, {}, ()),
]  # fmt: skip


@pytest.mark.parametrize(("name", "about", "facts", "steps"), TABLE)
def test_facts_in_steps_out(name, about, facts, steps):
    playbook, now = BY_NAME[name], situation(about, **facts)
    found = DISK if name == "free-disk-space" else issue()
    assert playbook.steps(found, now) == steps
    if steps:
        assert playbook.preview(found, now)
    else:
        assert playbook.why_nothing(found, now)


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({}, "[[cleanup]]"),
        ({"cleanup": preview(incomplete="no permission")}, "no permission"),
        ({"cleanup": preview(files=())}, "no rotated log"),
    ],
)
def test_why_no_space_is_freed_says_what_to_do(facts, word):
    assert word in BY_NAME["free-disk-space"].why_nothing(DISK, situation(**facts))


def test_the_preview_says_how_much():
    assert BY_NAME["free-disk-space"].preview(DISK, situation(cleanup=preview()))[0] == (
        "remove 2 rotated logs under /var/log: 5.0 MB"
    )


def test_what_they_declare():
    assert {name for name, each in BY_NAME.items() if each.disruptive} == {"restart", "kill-and-start"}
    assert {name for name, each in BY_NAME.items() if not each.reversible} == {"free-disk-space"}
    assert len(BY_NAME) == len(BUNDLED)
    ladder = sorted((each.rung, each.name) for each in BUNDLED if Cause.PROCESS_HUNG in each.causes)
    assert [name for _, name in ladder] == ["restart", "kill-and-start"]


@pytest.mark.parametrize(
    "cause",
    [
        Cause.PROCESS_GONE,
        Cause.PROCESS_STOPPED,
        Cause.PROCESS_HUNG,
        Cause.DISK_FILLING,
        Cause.LIMIT_EXCEEDED,
        Cause.CUSTOM,
    ],
)
def test_every_cause_that_can_be_healed_has_a_remedy(cause):
    assert any(cause in each.causes for each in BUNDLED)


@pytest.mark.parametrize("cause", [Cause.PARENT_FAILED, Cause.PROCESS_OVERLOADED])
def test_a_failed_parent_and_overload_are_not_restarted_away(cause):
    assert not any(cause in each.causes for each in BUNDLED)
