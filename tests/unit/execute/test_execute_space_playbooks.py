"""Rotation, caches and the journal: facts in, steps out; and the step that rotates a log."""

import os

import pytest

from autonomyd.execute.handlers import StepFailure
from autonomyd.execute.playbooks.clean_caches import CleanCaches
from autonomyd.execute.playbooks.free_disk_space import FreeDiskSpace
from autonomyd.execute.playbooks.rotate_logs import RotateLogs
from autonomyd.execute.playbooks.vacuum_journal import VacuumJournal
from autonomyd.execute.steps.logs import RotateLogHandler
from autonomyd.model.facts import CleanupPreview, LogFile
from autonomyd.model.issue import IssueType
from autonomyd.model.step import RemoveFiles, RotateLog, RunCommand
from autonomyd.model.subject import Subject
from autonomyd.testing import issue, service, situation

DISK = issue(IssueType.RESOURCE_EXHAUSTION, subject=Subject("disk:/var"))


def preview(kind, **more):
    fields = {"root": "/srv/cache", "files": ("/srv/cache/a",), "total_bytes": 5_000_000, "kind": kind}
    return situation(None, cleanup=CleanupPreview(**fields | more))


@pytest.mark.parametrize(
    ("strategy", "kind", "steps"),
    [
        (CleanCaches(), "cache", (RemoveFiles(root="/srv/cache", files=("/srv/cache/a",), total_bytes=5_000_000),)),
        (FreeDiskSpace(), "logs", (RemoveFiles(root="/srv/cache", files=("/srv/cache/a",), total_bytes=5_000_000),)),
    ],
)
def test_each_kind_of_clean_up_has_its_strategy(strategy, kind, steps):
    assert strategy.steps(DISK, preview(kind)) == steps
    assert strategy.preview(DISK, preview(kind))
    other = preview("journal")
    assert strategy.steps(DISK, other) == ()
    assert strategy.preview(DISK, other) == ()
    for nothing in (other, preview(kind, files=()), preview(kind, incomplete="who has them open is not known")):
        assert strategy.steps(DISK, nothing) == ()
        assert strategy.why_nothing(DISK, nothing)


def test_the_journal_is_brought_down_to_its_room():
    now = preview("journal", files=(), target_bytes=400 * 1024)
    (step,) = VacuumJournal().steps(DISK, now)
    assert isinstance(step, RunCommand)
    assert step.argv == ("journalctl", "--rotate", "--vacuum-size=400K")
    assert VacuumJournal().preview(DISK, now) == ("vacuum the journal down to 0 MB: about 5 MB of old messages go",)
    for nothing in (preview("logs"), preview("journal", total_bytes=0), preview("journal", incomplete="gone")):
        assert VacuumJournal().steps(DISK, nothing) == ()
        assert VacuumJournal().why_nothing(DISK, nothing)


def test_the_largest_logs_are_rotated_and_small_ones_left_alone():
    logs = (
        LogFile(path="/log/small", bytes=10),
        LogFile(path="/log/big", bytes=4_000_000, keep=2),
        LogFile(path="/log/half", bytes=2_000_000, method="rename", signal="USR1"),
        LogFile(path="/log/empty", bytes=0),
    )
    found = RotateLogs().steps(issue(), situation(service(), logs=logs))
    assert [(step.path, step.method, step.signal, step.keep) for step in found] == [
        ("/log/big", "copytruncate", "", 2),
        ("/log/half", "rename", "USR1", 3),
    ]
    assert RotateLogs().preview(issue(), situation(service(), logs=logs))[0] == "rotate /log/big (4.0 MB), keep 2"
    for nothing in (situation(service()), situation(None, logs=logs)):
        assert RotateLogs().steps(issue(), nothing) == ()
        assert RotateLogs().why_nothing(issue(), nothing)


def step(path, **more):
    return RotateLog(
        **{"service": "web", "path": str(path), "method": "copytruncate", "keep": 2, "compress": False} | more
    )


async def test_only_a_declared_log_is_rotated(tmp_path):
    log = tmp_path / "app.log"
    log.write_text("one\n")
    handler = RotateLogHandler(lambda name: (str(log),) if name == "web" else (), lambda name: None)
    done = await handler.apply(step(log))
    assert done.message.startswith(f"rotated {log} (0.0 MB)")
    assert (log.read_text(), (tmp_path / "app.log.1").read_text()) == ("", "one\n")
    for other in (step(log, service="db"), step(tmp_path / "app.log.1")):
        with pytest.raises(StepFailure, match="may be rotated"):
            await handler.apply(other)
    log.unlink()
    with pytest.raises(StepFailure, match="not rotated"):
        await handler.apply(step(log))
    assert await handler.undo(step(log)) is None


async def test_a_cut_is_told_with_its_bytes(tmp_path):
    log = tmp_path / "app.log"
    log.write_text("a line\n" * 300_000)
    handler = RotateLogHandler(lambda name: (str(log),), lambda name: None)
    done = await handler.apply(step(log, keep=0, tail_bytes=1000))
    assert "cut" in done.message
    assert "2.1 MB of old lines are gone" in done.message
    assert log.stat().st_size <= 1000
    assert done.details["dropped_bytes"] == 2_100_000 - log.stat().st_size


async def test_rename_without_a_running_service(tmp_path):
    log = tmp_path / "app.log"
    log.write_text("one\n")
    handler = RotateLogHandler(lambda name: (str(log),), lambda name: None)
    await handler.apply(step(log, method="rename", signal="USR1"))
    assert sorted(os.listdir(tmp_path)) == ["app.log.1"]
