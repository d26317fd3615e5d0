"""Playbooks as data: facts in, steps out."""

from dataclasses import replace

import pytest

from autonomyd.execute.playbooks import BUNDLED
from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import CleanupPreview, Culprit, PidFileFacts, PortHolder
from autonomyd.model.fix import Outcome
from autonomyd.model.issue import IssueType
from autonomyd.model.service import RunState
from autonomyd.model.step import (
    IRREVERSIBLE_STEPS,
    CallStrategy,
    EndProcess,
    ReloadService,
    RemoveFile,
    RemoveFiles,
    RestartService,
    StartService,
    StopService,
    SwitchCommand,
)
from autonomyd.model.subject import Subject
from autonomyd.testing import issue, past_fix, service, situation

BY_NAME = {each.name: each for each in BUNDLED}
DISK = issue(IssueType.RESOURCE_EXHAUSTION, subject=Subject("disk:/var"))


def preview(files=("/var/log/a.2", "/var/log/a.1"), **more):
    return CleanupPreview(**{"root": "/var/log", "files": files, "total_bytes": 5_000_000} | more)


DEAD = service(RunState.GONE)
ORPHAN = PortHolder(port=80, pid=9, started=5, name="nc", ours=True)
END_ORPHAN = EndProcess(pid=9, started=5, why="nc, holds port 80; left over from an earlier run of it")
STALE = PidFileFacts(path="/run/web.pid", pid=77, sha256="ab", names="pid 77 (cron)", stale=True)
TROUBLE = tuple(past_fix("start", ago_s=ago_s, service="web", outcome=Outcome.INEFFECTIVE) for ago_s in (9.0, 6.0, 3.0))

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
    ("free-port", DEAD, {"ports": (ORPHAN,)}, (END_ORPHAN, StartService(service="web"))),
    ("free-port", DEAD, {"ports": (replace(ORPHAN, ours=False),)}, ()),
    ("free-port", DEAD, {"ports": (ORPHAN, replace(ORPHAN, pid=8, ours=False))}, ()),
    ("free-port", DEAD, {"ports": (replace(ORPHAN, pid=None),)}, ()),
    (
        "free-port",
        DEAD,
        {"ports": (replace(ORPHAN, ours=False, allowed=True), replace(ORPHAN, port=81, ours=False, allowed=True))},
        (EndProcess(pid=9, started=5, why="nc, holds port 81; allowed by may_end"), StartService(service="web")),
    ),
    ("free-port", DEAD, {}, ()),
    ("free-port", None, {"ports": (ORPHAN,)}, ()),
    (
        "remove-stale-pid-file",
        DEAD,
        {"pid_file": STALE},
        (RemoveFile(path="/run/web.pid", before_sha256="ab"), StartService(service="web")),
    ),
    ("remove-stale-pid-file", DEAD, {"pid_file": replace(STALE, stale=False)}, ()),
    ("remove-stale-pid-file", DEAD, {}, ()),
    ("reload", service(can_reload=True), {}, (ReloadService(service="web"),)),
    ("reload", service(), {}, ()),
    ("reload", None, {}, ()),
    (
        "restart-stack",
        service(children=("worker", "api")),
        {},
        (
            StopService(service="worker"),
            StopService(service="api"),
            RestartService(service="web"),
            StartService(service="api"),
            StartService(service="worker"),
        ),
    ),
    ("restart-stack", service(), {}, ()),
    ("restart-stack", service(children=("worker", "api"), off_limits=("api",)), {}, ()),
    ("fall-back", service(fallback=False), {"past": TROUBLE}, (SwitchCommand(service="web", fallback=True),)),
    ("fall-back", service(fallback=False), {"past": TROUBLE[:2]}, ()),
    ("fall-back", service(fallback=True), {"past": TROUBLE}, ()),
    ("fall-back", service(), {"past": TROUBLE}, ()),
    ("recycle", service(), {}, (RestartService(service="web"),)),
    ("recycle", None, {}, ()),
    (
        "end-child-process",
        service(),
        {"culprit": Culprit(pid=9, started=5, name="worker", why="uses 99 % of its CPU time")},
        (EndProcess(pid=9, started=5, why="worker uses 99 % of its CPU time"),),
    ),
    ("end-child-process", service(), {}, ()),
    ("return-from-fallback", service(fallback=True), {}, (SwitchCommand(service="web", fallback=False),)),
    ("return-from-fallback", service(fallback=True, fallback_left_s=1.0), {}, ()),
    ("return-from-fallback", service(fallback=False), {}, ()),
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
    for each in BUNDLED:
        stops_what_may_run = {StopService, RestartService, SwitchCommand} & each.yields
        assert each.disruptive or not stops_what_may_run, each.name
        assert each.consented or not set(IRREVERSIBLE_STEPS) & each.yields, each.name
        assert not (each.reversible and set(IRREVERSIBLE_STEPS) & each.yields), each.name
    assert len(BY_NAME) == len(BUNDLED)
    ladder = sorted((each.rung, each.name) for each in BUNDLED if Cause.PROCESS_HUNG in each.causes)
    assert [name for _, name in ladder] == ["restart", "kill-and-start", "restart-stack", "fall-back"]


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


@pytest.mark.parametrize("cause", [Cause.PARENT_FAILED, Cause.DEPENDENCY_FAILED, Cause.PROCESS_OVERLOADED])
def test_the_innocent_and_the_overloaded_are_not_restarted(cause):
    for each in BUNDLED:
        if cause in each.causes:
            assert each.steps(issue(), situation(service())) == (), each.name


@pytest.mark.parametrize("playbook", BUNDLED, ids=[each.name for each in BUNDLED])
def test_a_playbook_yields_only_what_it_declares(playbook):
    for row in TABLE:
        if row[0] == playbook.name:
            steps = playbook.steps(DISK if row[0] == "free-disk-space" else issue(), situation(row[1], **row[2]))
            assert {type(step) for step in steps} <= playbook.yields
    assert playbook.reads
    assert playbook.causes
