"""Fixes that write into files, with real files and backups: what is saved, what is refused, what is put back."""

import asyncio
import errno
import os

import pytest

from autonomyd.execute.filework import FileWork
from autonomyd.execute.handlers import StepFailure
from autonomyd.execute.runner import Runner, Validation
from autonomyd.execute.steps.file_changes import (
    RemoveFileHandler,
    RestoreBackupHandler,
    SwitchLinkHandler,
    WriteFileHandler,
)
from autonomyd.host import objects as object_module
from autonomyd.knowledge.backups import Backups
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import FixState, Outcome
from autonomyd.model.plan import Plan, Risk
from autonomyd.model.step import (
    RemoveFile,
    RestartService,
    RestoreBackup,
    RunCommand,
    StepResult,
    StopService,
    SwitchLink,
    WriteFile,
)
from autonomyd.testing import ManualClock

OLD, NEW = b"delay = 0.8\n", b"delay = 1.2\n"


class Bench:
    """A runner on a folder; `story` is the order of the acts and states, `on_act` what happens at an act."""

    def __init__(self, folder, outcome=Outcome.HEALED):
        self.etc = folder / "etc"
        self.etc.mkdir()
        self.conf = self.etc / "app.conf"
        self.conf.write_bytes(OLD)
        self.files = FileWork(Backups(folder / "backups"))
        self.outcome, self.story, self.disk, self.on_act, self.up = outcome, [], [], {}, True
        handlers = dict.fromkeys((RestartService, StopService, RunCommand), self) | {
            WriteFile: WriteFileHandler(self.files), RemoveFile: RemoveFileHandler(self.files),
            SwitchLink: SwitchLinkHandler(self.files), RestoreBackup: RestoreBackupHandler(self.files),
        }  # fmt: skip
        self.runner = Runner(
            clock=ManualClock(), handlers=handlers, journal=self.journal, validate=self.validate,
            next_id=lambda: 1 + len({fix.id for fix in self.disk}), runs=lambda name: True, files=self.files,
        )  # fmt: skip

    async def journal(self, fix, moves):
        self.disk.append(fix)
        self.story += [move.after for move in moves]
        self.happens(fix.state)

    def happens(self, word):
        if word in self.on_act:
            self.on_act.pop(word)()

    async def apply(self, step):
        self.story.append(type(step).__name__)
        self.happens(type(step).__name__)
        if isinstance(step, RunCommand) and step.argv == ("fail",):
            raise StepFailure("it failed")
        return StepResult(ok=True, message=f"did {type(step).__name__}")

    async def undo(self, step):
        self.story.append(f"undo {type(step).__name__}")
        self.happens(f"undo {type(step).__name__}")

    async def validate(self, plan, since):
        return Validation(outcome=self.outcome, message="seen")

    def write(self, content=NEW):
        objects = self.files.backups.objects
        return WriteFile(path=str(self.conf), sha256=objects.put(content), before_sha256=objects.put(OLD))

    async def run(self, *steps, cause=Cause.CONFIG_CHANGED):
        made = Plan(
            strategy="restore", cause=cause, steps=steps, confidence=93.0, risk=Risk.LOW, disruptive=True,
            reversible=True, service="web", issue_id=4, preview=("put the good one back",),
        )  # fmt: skip
        return await self.runner.run(made, actor="autonomyd")

    def leftovers(self):
        return [name for name in os.listdir(self.etc) if name.startswith(".")]


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path.resolve())


async def test_every_state_comes_before_its_act_and_the_manifest_before_the_first_byte(bench):
    saved = []
    bench.on_act[FixState.APPLYING] = lambda: saved.append((bench.files.backups.all(), bench.conf.read_bytes()))
    fix = await bench.run(bench.write(), RestartService(service="web"))
    assert bench.story == [
        "planned", "approved", "backed_up", "applying", "RestartService", "applied", "validating", "committed",
    ]  # fmt: skip
    (((backup,), content),) = saved
    assert content == OLD
    assert (backup.id, backup.reason, backup.confidence) == (fix.backup_id, "put the good one back", 93.0)
    assert bench.files.backups.objects.get(backup.changes[0].before.sha256) == OLD
    assert bench.conf.read_bytes() == NEW
    assert fix.message == "seen", "what was written is in the plan"


@pytest.mark.parametrize("outcome", [Outcome.INEFFECTIVE, Outcome.WORSENED, Outcome.UNVERIFIED])
async def test_what_was_not_seen_to_help_is_put_back_and_the_service_reads_it_again(bench, outcome):
    bench.outcome = outcome
    fix = await bench.run(bench.write(), RestartService(service="web"))
    assert bench.conf.read_bytes() == OLD
    assert fix.state is FixState.ROLLED_BACK
    assert fix.outcome is (Outcome.ROLLED_BACK if outcome is Outcome.WORSENED else outcome)
    assert bench.story[-4:] == ["rolling_back", "undo RestartService", "RestartService", "rolled_back"]
    assert bench.files.backups.all()[0].rolled_back_at is not None
    assert f"{bench.conf} is as it was before" in fix.message


async def test_a_file_that_changed_before_the_fix_stops_it_before_anything_is_done(bench):
    step = bench.write()
    bench.conf.write_bytes(b"by hand\n")
    fix = await bench.run(step, RestartService(service="web"))
    assert (fix.state, fix.outcome) == (FixState.ROLLED_BACK, Outcome.UNVERIFIED)
    assert "nothing was changed" in fix.message
    assert "somebody changed it meanwhile" in fix.message
    assert bench.story == ["planned", "approved", "rolled_back"]
    assert bench.conf.read_bytes() == b"by hand\n"


async def test_a_file_that_changes_under_the_fix_stops_it_and_nothing_else_is_restored(bench):
    step = bench.write()
    bench.on_act[FixState.APPLYING] = lambda: bench.conf.write_bytes(b"by hand\n")
    fix = await bench.run(step, RestartService(service="web"))
    assert (fix.state, fix.outcome) == (FixState.ROLLED_BACK, Outcome.UNVERIFIED)
    assert bench.conf.read_bytes() == b"by hand\n"
    assert "RestartService" not in bench.story
    assert f"{bench.conf} was changed by somebody else meanwhile and is left as it is" in fix.message


async def test_what_somebody_wrote_after_us_is_left_when_the_fix_is_taken_back(bench):
    bench.outcome = Outcome.WORSENED
    bench.on_act[FixState.VALIDATING] = lambda: bench.conf.write_bytes(b"by hand\n")
    other = bench.etc / "other"
    other.write_bytes(b"x")
    objects = bench.files.backups.objects
    fix = await bench.run(bench.write(), RemoveFile(path=str(other), before_sha256=objects.put(b"x")))
    assert bench.conf.read_bytes() == b"by hand\n"
    assert other.read_bytes() == b"x"
    assert "changed by somebody else" in fix.message


async def test_a_command_that_writes_is_covered_and_what_a_failed_one_wrote_is_taken_back(bench):
    bench.on_act["RunCommand"] = lambda: bench.conf.write_bytes(b"half")
    fix = await bench.run(RunCommand(argv=("fail",), undo=("true",), writes=(str(bench.conf),)))
    assert (fix.state, fix.outcome) == (FixState.ROLLED_BACK, Outcome.INEFFECTIVE)
    assert bench.conf.read_bytes() == OLD
    assert "undo RunCommand" in bench.story
    (backup,) = bench.files.backups.all()
    assert bench.files.backups.objects.get(backup.changes[0].after.sha256) == b"half"


async def test_an_undo_that_writes_something_else_does_not_have_the_last_word(bench):
    bench.outcome = Outcome.INEFFECTIVE
    bench.on_act["RunCommand"] = lambda: bench.conf.write_bytes(NEW)
    bench.on_act["undo RunCommand"] = lambda: bench.conf.write_bytes(b"wrong")
    await bench.run(RunCommand(argv=("x",), undo=("y",), writes=(str(bench.conf),)))
    assert bench.conf.read_bytes() == OLD


async def test_the_undo_of_a_command_is_not_run_over_what_somebody_else_wrote(bench):
    bench.outcome = Outcome.INEFFECTIVE
    bench.on_act["RunCommand"] = lambda: bench.conf.write_bytes(NEW)
    bench.on_act[FixState.VALIDATING] = lambda: bench.conf.write_bytes(b"by hand\n")
    fix = await bench.run(RunCommand(argv=("x",), undo=("y",), writes=(str(bench.conf),)))
    assert bench.conf.read_bytes() == b"by hand\n"
    assert "undo RunCommand" not in bench.story
    assert (fix.state, "x is not undone" in fix.message) == (FixState.ROLLBACK_FAILED, True)


async def test_a_disk_without_room_for_the_backup_changes_nothing_and_says_what_to_do(bench, monkeypatch):
    step = bench.write()

    def full(*args, **more):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("autonomyd.knowledge.backups.replace_durably", full)
    fix = await bench.run(step)
    assert (fix.state, fix.outcome) == (FixState.ROLLED_BACK, Outcome.UNVERIFIED)
    assert "nothing was changed" in fix.message
    assert "free space first" in fix.message
    assert bench.conf.read_bytes() == OLD
    monkeypatch.undo()
    other = bench.etc / "other"
    other.write_bytes(b"never saved")
    monkeypatch.setattr(object_module, "replace_durably", full)
    fix = await bench.run(RunCommand(argv=("x",), writes=(str(other),)))
    assert f"no place for a copy of {other}" in fix.message
    assert bench.leftovers() == []


async def test_the_backup_must_cover_exactly_what_the_plan_says(bench):
    class Sly(WriteFileHandler):
        async def changes(self, step):
            return ()

    bench.runner._means.handlers[WriteFile] = Sly(bench.files)
    fix = await bench.run(bench.write())
    assert "would not cover exactly what is written" in fix.message
    assert bench.conf.read_bytes() == OLD


async def test_one_file_is_written_by_one_step_only(bench):
    fix = await bench.run(bench.write(), bench.write(b"other"))
    assert "two steps write" in fix.message
    assert bench.conf.read_bytes() == OLD


async def test_a_damaged_backup_leaves_no_service_down_and_is_told(bench):
    bench.outcome = Outcome.WORSENED

    def rot():
        objects = bench.files.backups.objects
        (objects.folder / objects.put(OLD)).write_bytes(b"rotten")

    bench.on_act[FixState.VALIDATING] = rot
    fix = await bench.run(bench.write(), StopService(service="web"))
    assert (fix.state, fix.outcome) == (FixState.ROLLBACK_FAILED, Outcome.WORSENED)
    assert "damaged" in fix.message
    assert "undo StopService" in bench.story


async def test_a_link_whose_target_is_gone_is_not_switched_and_a_new_file_takes_what_it_is_given(bench):
    link = bench.etc / "current"
    link.symlink_to("2")
    fix = await bench.run(SwitchLink(path=str(link), target="1", before="2"))
    assert "is not there" in fix.message
    assert fix.outcome is Outcome.INEFFECTIVE
    (bench.etc / "1").mkdir()
    assert (await bench.run(SwitchLink(path=str(link), target="1", before="2"))).outcome is Outcome.HEALED
    assert os.readlink(link) == "1"
    sha256 = bench.files.backups.objects.put(NEW)
    await bench.run(WriteFile(path=f"{bench.etc}/made", sha256=sha256, before_sha256=None, mode=0o644))
    await bench.run(WriteFile(path=f"{bench.etc}/private", sha256=sha256, before_sha256=None))
    modes = [(bench.etc / name).stat().st_mode & 0o777 for name in ("made", "private")]
    assert modes == [0o644, 0o600]


async def test_a_person_s_wish_stays_whatever_the_checks_say(bench):
    first = await bench.run(bench.write())
    bench.outcome = Outcome.INEFFECTIVE
    step = RestoreBackup(backup=first.backup_id, paths=(str(bench.conf),))
    fix = await bench.run(step, cause=Cause.REQUESTED)
    assert (fix.state, fix.outcome) == (FixState.COMMITTED, Outcome.INEFFECTIVE)
    assert bench.conf.read_bytes() == OLD


async def test_without_backups_no_file_is_written(bench):
    runner = Runner(clock=ManualClock(), handlers={}, journal=bench.journal, validate=bench.validate, next_id=lambda: 9)
    bench.runner = runner
    fix = await bench.run(bench.write())
    assert "written only by the daemon" in fix.message
    assert bench.conf.read_bytes() == OLD


async def test_a_daemon_that_ends_while_a_command_writes_takes_it_back_at_its_next_start(bench):
    reached = asyncio.Event()

    async def hang(step):
        bench.conf.write_bytes(b"half")
        reached.set()
        await asyncio.Event().wait()

    bench.apply = hang
    task = asyncio.create_task(bench.run(RunCommand(argv=("x",), undo=("y",), writes=(str(bench.conf),))))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bench.conf.read_bytes() == b"half"
    await bench.runner.adopt([bench.disk[-1]])
    assert bench.runner.busy("web")
    fix = await bench.runner.settle(bench.disk[-1])
    assert (fix.state, fix.outcome) == (FixState.ROLLED_BACK, Outcome.UNVERIFIED)
    assert bench.conf.read_bytes() == OLD
    assert not bench.runner.busy("web")


async def test_a_backup_that_is_lost_is_told_and_nothing_is_guessed(bench):
    fix = await bench.run(bench.write())
    left = bench.disk[-2]
    assert left.state is FixState.VALIDATING
    for path in (bench.etc.parent / "backups" / "manifests").iterdir():
        path.unlink()
    await bench.runner.adopt([left])
    settled = await bench.runner.settle(left)
    assert (settled.state, settled.outcome) == (FixState.ROLLBACK_FAILED, Outcome.WORSENED)
    assert f"there is no backup {fix.backup_id} any more" in settled.message
    assert bench.conf.read_bytes() == NEW
