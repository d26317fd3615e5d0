"""The whole system finds a fix that the last run left unfinished, and a person takes a finished one back."""

import asyncio
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from autonomyd import AutonomousOperationSystem
from autonomyd.aio.clock import SystemClock
from autonomyd.control.resources.backups import rollback
from autonomyd.engine.backups import RollbackRefused
from autonomyd.engine.records import Records
from autonomyd.knowledge.backups import Backups, UnknownBackupError
from autonomyd.knowledge.store import Store
from autonomyd.model.change import Backup, BackupState, FileChange, FileKind, FileState
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.issue import IssueState, Transition
from autonomyd.model.plan import Autonomy, Plan, Risk
from autonomyd.model.service import ServiceState
from autonomyd.model.step import RestartService, StartService, StopService, WriteFile
from autonomyd.model.trust import LessonKind
from autonomyd.settings.load import make_settings
from autonomyd.testing import issue

WAIT = "import signal\nwhile 1: signal.pause()"
OLD, NEW = b"delay = 0.8\n", b"delay = 1.2\n"
DEADLINE_S = 15.0


def settings_of(folder):
    return make_settings(
        {
            "daemon": {"state_dir": str(folder / "state"), "socket": str(folder / "d.sock")},
            "intervals": {"monitoring_s": 0.5, "healing_s": 0.5, "goals_s": 0.5, "optimization_s": 0.5},
            "services": {
                "web": {
                    "control": {"type": "process", "command": [sys.executable, "-S", "-c", WAIT]},
                    "check_every_s": 0.2,
                }
            },
        }
    )


@pytest.fixture
async def make_system(tmp_path):
    made = []

    def make():
        made.append(AutonomousOperationSystem(settings_of(tmp_path)))
        return made[-1]

    yield make
    last = made[-1]
    if last.started:
        await last.parts.keeper.stop("web", force=True)
        await last.stop()


@pytest.fixture
def conf(tmp_path):
    path = tmp_path.resolve() / "app.conf"
    path.write_bytes(OLD)
    return path


async def until(wanted, what="the condition"):
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not (found := wanted()):
                await asyncio.sleep(0.01)
            return found
    except TimeoutError:
        raise AssertionError(f"{what} did not come true") from None


def plan(*steps, cause=Cause.CONFIG_CHANGED, issue_id=None):
    return Plan(
        strategy="test", cause=cause, steps=steps, confidence=95.0, risk=Risk.LOW, disruptive=True, reversible=True,
        service="web", issue_id=issue_id, preview=("do it",),
    )  # fmt: skip


def writing(system, conf, *more):
    objects = system.parts.backups._backups.objects
    return plan(WriteFile(path=str(conf), sha256=objects.put(NEW), before_sha256=objects.put(conf.read_bytes())), *more)


async def leave_behind(folder, fix, about=None):
    """What a daemon that died in the middle of `fix` has on disk."""
    records = Records(SystemClock())
    (folder / "state").mkdir(exist_ok=True)
    records.attach(await Store.open(str(folder / "state" / "state.db"), clock=SystemClock()))
    if about is not None:
        moved = Transition(at=1.0, before="", after=about.state, cause="it was found", actor="autonomyd")
        records.issue(about, moved)
    await records.journal(fix, fix.transitions)
    await records.close()


async def test_a_service_that_the_last_run_left_down_is_up_again_and_its_issue_tells_the_story(make_system, tmp_path):
    steps = (StopService(service="web", force=True), StartService(service="web"))
    about = issue(state=IssueState.FIXING, opened_at=1.0, updated_at=1.0)
    made = plan(*steps, cause=Cause.PROCESS_HUNG, issue_id=about.id)
    fix = Fix(id=3, plan=made, state=FixState.APPLYING, actor="autonomyd", started_at=1.0, begun=1, up=("web",))
    await leave_behind(tmp_path, fix, about)
    system = make_system()
    await system.start()
    records = system.parts.records
    await until(lambda: system.parts.keeper.services["web"].state is ServiceState.UP, "web is up")
    await until(lambda: 3 not in system.parts.runner.running, "the fix has its end")
    settled = await records.read(lambda: records.fixes.get(3), None)
    assert (settled.state, settled.outcome) == (FixState.ROLLED_BACK, Outcome.UNVERIFIED)
    assert "the daemon ended during this fix, before all of it was done" in settled.message
    assert not system.parts.runner.busy("web")
    moves = await records.read(lambda: records.issues.transitions(about.id), ())
    assert any("the daemon ended during this fix, before all of it was done" in move.cause for move in moves)
    assert [past.issue_key for past in system.parts.history.past] == ["service_down|service:web|process"]


async def test_a_half_written_fix_is_taken_back_before_healing_decides_about_its_service(make_system, conf, tmp_path):
    first = make_system()
    await first.start()
    fix = await first.parts.runner.run(writing(first, conf), actor="autonomyd")
    await first.parts.keeper.stop("web", force=True)
    await first.stop()
    conf.write_bytes(NEW)
    backups = Backups(tmp_path / "state" / "backups")
    if fix.state is FixState.ROLLED_BACK:
        backups.save(replace(backups.load(fix.backup_id), rolled_back_at=None))
    await leave_behind(tmp_path, replace(fix, state=FixState.APPLYING, outcome=None, ended_at=None))
    second = make_system()
    await second.start()
    await until(lambda: fix.id not in second.parts.runner.running, "the fix has its end")
    assert conf.read_bytes() == OLD
    assert [each.state for each in await second.parts.backups.all()] == [BackupState.ROLLED_BACK]


async def test_a_person_puts_a_backup_back_and_it_counts_against_the_fix(make_system, conf):
    system = make_system()
    await system.start()
    await until(lambda: system.parts.keeper.runs("web"), "web runs")
    parts = system.parts
    fix = await parts.runner.run(writing(system, conf, RestartService(service="web")), actor="autonomyd")
    assert (fix.state, fix.outcome) == (FixState.COMMITTED, Outcome.HEALED), fix.message
    assert conf.read_bytes() == NEW
    (status,) = await parts.backups.all()
    assert (status.files, status.bytes, status.state) == ((str(conf),), len(OLD), BackupState.KEPT)
    pid = parts.keeper.services["web"].run.pid
    undone = await parts.backups.roll_back(status.id, actor="uid=1000 pid=7")
    assert (undone.state, undone.actor, undone.plan.cause) == (FixState.COMMITTED, "uid=1000 pid=7", Cause.REQUESTED)
    assert conf.read_bytes() == OLD
    assert parts.keeper.services["web"].run.pid != pid
    stored = await parts.records.read(lambda: parts.records.fixes.get(fix.id), None)
    assert (stored.state, stored.outcome) == (FixState.ROLLED_BACK, Outcome.ROLLED_BACK)
    assert "taken back by uid=1000 pid=7" in stored.message
    assert stored.transitions[-1].actor == "uid=1000 pid=7"
    with pytest.raises(RollbackRefused, match="put back already"):
        await parts.backups.roll_back(status.id, actor="uid=1000 pid=7")
    again, _ = await parts.backups.all()
    assert again.fix_id == undone.id  # the rollback has a backup of its own: it can be taken back as well
    await parts.backups.roll_back(again.id, actor="uid=1000 pid=7")
    assert conf.read_bytes() == NEW


async def test_healing_knows_of_a_rollback_before_it_can_decide_again(make_system, conf, monkeypatch):
    """While it did not, the fix that a person had just taken back was made again within milliseconds."""
    system = make_system()
    await system.start()
    await until(lambda: system.parts.keeper.runs("web"), "web runs")
    parts = system.parts
    await parts.runner.run(writing(system, conf, RestartService(service="web")), actor="autonomyd")
    known, mark = [], parts.backups._files.mark_rolled_back

    async def first_wait(backup_id, at):
        known.append(parts.trust.earned("web"))
        await mark(backup_id, at)

    monkeypatch.setattr(parts.backups._files, "mark_rolled_back", first_wait)
    (status,) = await parts.backups.all()
    await parts.backups.roll_back(status.id, actor="uid=1000 pid=7")
    assert known == [{"test": Autonomy.ASK}]


async def test_what_somebody_changed_after_the_fix_is_not_put_back(make_system, conf):
    system = make_system()
    await system.start()
    await until(lambda: system.parts.keeper.runs("web"), "web runs")
    await system.parts.runner.run(writing(system, conf), actor="autonomyd")
    (status,) = await system.parts.backups.all()
    conf.write_bytes(b"by hand\n")
    with pytest.raises(RollbackRefused, match=r"somebody changed .*app\.conf after the fix"):
        await system.parts.backups.roll_back(status.id, actor="uid=0 pid=7")
    assert conf.read_bytes() == b"by hand\n"
    conf.write_bytes(OLD)
    with pytest.raises(RollbackRefused, match="as it was before"):
        await system.parts.backups.roll_back(status.id, actor="uid=0 pid=7")
    with pytest.raises(UnknownBackupError):
        await system.parts.backups.roll_back("../../etc/passwd", actor="uid=0 pid=7")


def test_old_backups_go_with_their_contents_and_those_in_use_or_named_elsewhere_stay(tmp_path):
    backups = Backups(tmp_path)
    objects = backups.objects

    def keep(name, content, at):
        state = FileState(kind=FileKind.FILE, sha256=objects.put(content))
        change = FileChange(path="/etc/x", before=state, after=None)
        backups.save(
            Backup(
                id=name, fix_id=1, at=at, strategy="s", cause=Cause.CONFIG_CHANGED, confidence=1.0, reason="",
                changes=(change,),
            )
        )  # fmt: skip
        return state.sha256

    old, used, new = keep("old", b"1", 10.0), keep("used", b"2", 10.0), keep("new", b"3", 100.0)
    named = objects.put(b"4")
    wall = 1e10
    freed = backups.forget(before=50.0, keep={"used"}, named={named}, wall=wall)
    assert freed == 1
    assert {each.id for each in backups.all()} == {"used", "new"}
    assert {path.name for path in objects.folder.iterdir()} == {used, new, named}
    assert old not in {path.name for path in objects.folder.iterdir()}
    (tmp_path / "manifests" / "bad.json").write_text("{")
    assert backups.forget(before=1e9, keep=(), named=(), wall=wall) == 0  # what it names is not known: nothing goes
    assert {path.name for path in objects.folder.iterdir()} == {used, new, named}


async def test_a_rollback_over_the_socket_is_a_lesson_against_the_fix_and_outlives_the_daemon(make_system, conf):
    system = make_system()
    await system.start()
    await until(lambda: system.parts.keeper.runs("web"), "web runs")
    made = replace(writing(system, conf), strategy="edit", issue_id=4)
    fix = await system.parts.runner.run(made, actor="autonomyd")
    assert fix.outcome is Outcome.HEALED, fix.message
    (status,) = await system.parts.backups.all()
    call = SimpleNamespace(system=system, actor="uid=1000 pid=7", path=lambda name: status.id)
    assert (await rollback(call))["fix"].state is FixState.COMMITTED
    learned = [(each.kind, each.strategy, each.actor) for each in await system.parts.records.outcomes.all()]
    assert learned == [
        (LessonKind.HEALED, "edit", "autonomyd"),
        (LessonKind.UNDONE, "edit", "uid=1000 pid=7"),
    ]
    assert system.parts.trust.earned("web") == {"edit": Autonomy.ASK}  # one that a person took back costs a level
    await system.stop()
    again = make_system()
    await again.start()
    assert again.parts.trust.earned("web") == {"edit": Autonomy.ASK}
