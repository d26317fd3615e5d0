"""Kills a runner with SIGKILL at every point of a fix, lets a new process recover, and prints what it found.

Run as a program: `crashing_fix.py FOLDER SCENARIO`. One line of JSON for each point: the state before, the state after
recovery, the fixes as stored. A point is reached before every change to a file (an audit hook of the interpreter),
before and after every write of the journal, every step's handler and every look of the validation. The processes are
forked from this one, which has imported everything, so that a point costs milliseconds."""

import asyncio
import base64
import contextlib
import gc
import json
import logging
import os
import shutil
import signal
import sys
import traceback
from pathlib import Path

import structlog

from autonomyd.aio.clock import SystemClock
from autonomyd.engine.services import ServiceKeeper
from autonomyd.execute.filework import FileWork
from autonomyd.execute.runner import Runner, Validation
from autonomyd.execute.steps.commands import RunCommandHandler
from autonomyd.execute.steps.file_changes import (
    RemoveFileHandler,
    RestoreBackupHandler,
    SwitchLinkHandler,
    WriteFileHandler,
)
from autonomyd.execute.steps.numbers import SetNumberHandler
from autonomyd.execute.steps.services import RestartHandler, StartHandler, StopHandler
from autonomyd.host.command import run_command
from autonomyd.host.controls import make_control
from autonomyd.host.objects import ObjectStore
from autonomyd.knowledge.backups import Backups
from autonomyd.knowledge.fixes import Fixes
from autonomyd.knowledge.store import Store
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Outcome
from autonomyd.model.plan import Plan, Risk
from autonomyd.model.service import Intent
from autonomyd.model.step import (
    RemoveFile,
    RestartService,
    RestoreBackup,
    RunCommand,
    SetNumber,
    StartService,
    StopService,
    SwitchLink,
    WriteFile,
)
from autonomyd.settings.service import ServiceSettings

CHANGES = {
    "os.rename", "os.remove", "os.symlink", "os.link", "os.chmod", "os.chown", "os.utime", "os.setxattr",
    "os.removexattr", "os.mkdir", "os.truncate", "os.kill", "os.killpg", "subprocess.Popen",
}  # fmt: skip
FAR = 10**9
HEALED = Validation(outcome=Outcome.HEALED, message="all checks pass")
WORSE = Validation(outcome=Outcome.WORSENED, message="a check that passed fails now")


class Silent:
    def __getattr__(self, name):
        return lambda *args, **more: None


class Bomb:
    """Kills this process at the `at`-th point once it is armed."""

    def __init__(self, at):
        self.at, self.points, self.armed = at, 0, False

    def point(self):
        if not self.armed:
            return
        self.points += 1
        if self.points == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def hear(self, event, args):
        writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if self.armed and (event in CHANGES or writes):
            self.point()


class Shaky:
    """A handler with a point before and after each of its acts."""

    def __init__(self, handler, bomb):
        self.handler, self.bomb = handler, bomb

    def __getattr__(self, name):
        act = getattr(self.handler, name)

        async def shaky(step):
            self.bomb.point()
            result = await act(step)
            self.bomb.point()
            return result

        return shaky


class Bench:
    """A runner with a real store, real files and a real service; all of it in `folder`."""

    def __init__(self, folder, bomb, found):
        self.folder, self.bomb, self.found = folder, bomb, found
        self.clock = SystemClock()

    async def open(self):
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        self.store = await Store.open(str(state / "state.db"), clock=self.clock)
        self.fixes = Fixes(self.store)
        self.keeper = ServiceKeeper(
            clock=self.clock,
            make_control=lambda name, settings: make_control(
                name, settings.control, state_dir=state, clock=self.clock, instance=str(state)
            ),
            on_state=lambda service, before: None,
        )
        command = {"type": "process", "command": ["sleep", "1000"], "stop_timeout_s": 2.0}
        await self.keeper.add("web", ServiceSettings(control=command), Intent.STARTED)
        files = FileWork(Backups(state / "backups"))
        self.objects = files.backups.objects

        async def run(argv, timeout_s, cwd):
            return await run_command(argv, timeout_s=timeout_s, cwd=cwd)

        handlers = {
            StartService: StartHandler(self.keeper), StopService: StopHandler(self.keeper),
            RestartService: RestartHandler(self.keeper), RunCommand: RunCommandHandler(run),
            WriteFile: WriteFileHandler(files), RemoveFile: RemoveFileHandler(files),
            SwitchLink: SwitchLinkHandler(files), SetNumber: SetNumberHandler(files),
            RestoreBackup: RestoreBackupHandler(files),
        }  # fmt: skip
        self.runner = Runner(
            clock=self.clock, handlers={kind: Shaky(each, self.bomb) for kind, each in handlers.items()},
            journal=self.journal, validate=self.validate, next_id=self.fixes.next_id,
            runs=self.keeper.runs, files=files,
        )  # fmt: skip
        return self

    async def close(self):
        self.bomb.armed = False
        await self.keeper.close()
        await self.store.close()

    async def journal(self, fix, moves):
        self.bomb.point()
        await self.fixes.save(fix)
        self.bomb.point()

    async def validate(self, plan, since):
        self.bomb.point()
        return self.found

    async def recover(self):
        left = await self.fixes.unfinished()
        await self.runner.adopt(left)
        for fix in left:
            await self.runner.settle(fix)


# --- what is done ----------------------------------------------------------------------------------------------------


def lay_out(folder):
    etc = folder / "etc"
    (etc / "releases" / "1").mkdir(parents=True)
    (etc / "releases" / "2").mkdir()
    (etc / "app.conf").write_text("broken\n")
    (etc / "app.conf").chmod(0o640)
    os.chown(etc / "app.conf", *((1234, 4321) if os.geteuid() == 0 else (-1, -1)))
    with contextlib.suppress(OSError):  # not every filesystem has such attributes
        os.setxattr(etc / "app.conf", "user.note", b"keep me")
    (etc / "numbers.toml").write_text("# comment\ndelay = 0.8\n")
    (etc / "stale.pid").write_text("4711\n")
    (etc / "written.txt").write_text("before\n")
    (etc / "source.txt").write_text("after\n")
    (etc / "current").symlink_to("releases/2")
    for path in etc.iterdir():
        os.utime(path, ns=(10**18, 10**18 + 7), follow_symlinks=False)


def sha(objects, path):
    return objects.put(path.read_bytes())


def file_steps(etc, objects: ObjectStore):
    broken = sha(objects, etc / "app.conf")
    return (
        WriteFile(path=f"{etc}/app.conf.bad", sha256=broken, before_sha256=None),
        WriteFile(path=f"{etc}/app.conf", sha256=objects.put(b"good\n"), before_sha256=broken),
        RemoveFile(path=f"{etc}/stale.pid", before_sha256=sha(objects, etc / "stale.pid")),
        SetNumber(path=f"{etc}/numbers.toml", format="toml", key="delay", before=0.8, after=1.2),
        RunCommand(
            argv=("cp", f"{etc}/source.txt", f"{etc}/written.txt"), undo=("true",), writes=(f"{etc}/written.txt",)
        ),
        SwitchLink(path=f"{etc}/current", target="releases/1", before="releases/2"),
    )


def plan(*steps, cause=Cause.CONFIG_CHANGED):
    return Plan(
        strategy="test", cause=cause, steps=steps, confidence=95.0, risk=Risk.LOW, disruptive=True, reversible=True,
        service="web", issue_id=None, preview=("do it",),
    )  # fmt: skip


RESTART, KILL, START = (
    RestartService(service="web"),
    StopService(service="web", force=True),
    StartService(service="web"),
)
SERVICE_ONLY = {"restart": (RESTART,), "kill-and-start": (KILL, START), "start": (START,)}
SCENARIOS = {
    **dict.fromkeys(SERVICE_ONLY, HEALED),
    "kill-and-start, worse": WORSE,
    "files": HEALED,
    "files, worse": WORSE,
    "files, kill-and-start, worse": WORSE,
    "rollback by a person": WORSE,
}
LAST_POINTS = {"kill-and-start": 8, "files": 8}
"""How many; all the points before them are those of the same steps that end worse."""


async def prepare(bench, scenario):
    """The plan, with what has to be there for it."""
    if scenario != "start":
        await bench.keeper.start("web")
    base = scenario.removesuffix(", worse")
    if base in SERVICE_ONLY:
        return plan(*SERVICE_ONLY[base])
    steps = file_steps(bench.folder / "etc", bench.objects)
    if base == "files, kill-and-start":
        return plan(KILL, *steps[:2], START)
    if base == "files":
        return plan(*steps, RESTART)
    bench.found = HEALED
    made = await bench.runner.run(plan(*steps[:4]), actor="autonomyd")
    bench.found = WORSE
    paths = tuple(each.path for each in steps[:4])
    return plan(RestoreBackup(backup=made.backup_id, paths=paths), RESTART, cause=Cause.REQUESTED)


def picture(folder):
    """Every file of the folder whole: what a restored one must equal, byte for byte."""
    found = {}
    for path in sorted((folder / "etc").iterdir()):
        held = path.lstat()
        if path.is_symlink():
            found[path.name] = ["link", os.readlink(path)]
        elif path.is_file():
            attributes = {name: base64.b64encode(os.getxattr(path, name)).decode() for name in os.listxattr(path)}
            found[path.name] = ["file", path.read_text(), oct(held.st_mode), held.st_uid, held.st_gid, attributes]
    return found


# --- processes -------------------------------------------------------------------------------------------------------


def in_fork(work):
    """Run a coroutine function in a process of its own; its exit status."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            asyncio.run(work())
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitpid(pid, 0)[1]


def one_case(folder, scenario, at, again_at, *, apart=in_fork):
    """Kill at the point `at` (and the first recovery at `again_at`), then recover."""
    lay_out(folder)
    shutil.copytree(folder.parent / "template", folder / "state")
    reports = folder / "report.json"

    async def run():
        bomb = Bomb(at)
        bench = await Bench(folder, bomb, SCENARIOS[scenario]).open()
        wanted = await prepare(bench, scenario)
        before = {"picture": picture(folder), "stored": len(await bench.fixes.recent())}
        reports.write_text(json.dumps(before))
        sys.addaudithook(bomb.hear)
        bomb.armed = True
        await bench.runner.run(wanted, actor="autonomyd")
        reports.write_text(json.dumps(before | {"points": bomb.points}))
        await bench.close()

    async def recover(kill_at=FAR):
        bomb = Bomb(kill_at)
        bench = await Bench(folder, bomb, SCENARIOS[scenario]).open()
        sys.addaudithook(bomb.hear)
        bomb.armed = True
        await bench.recover()
        bomb.armed = False
        stored = await bench.fixes.recent()
        after = {
            "picture": picture(folder),
            "unfinished": len(await bench.fixes.unfinished()),
            "runs": bench.keeper.runs("web"),
            "fixes": [[fix.state, fix.outcome, fix.message, fix.ended_at] for fix in stored],
        }
        (folder / "after.json").write_text(json.dumps(after))
        if bench.keeper.runs("web"):
            await bench.keeper.stop("web", force=True)
        await bench.close()

    status = apart(run)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert killed or status == 0, f"the run ended with {status}"
    if killed and again_at:
        status = apart(lambda: recover(again_at))
    if not (folder / "after.json").exists():
        status = apart(recover)
        assert status == 0, f"the recovery ended with {status}"
    before, after = json.loads(reports.read_text()), json.loads((folder / "after.json").read_text())
    return {"at": at, "again_at": again_at, "killed": killed, "before": before, "after": after}


def here(work):
    asyncio.run(work())
    return 0


async def new_store(folder):
    """An empty one to copy: its schema is not what is tried here."""
    folder.mkdir(parents=True)
    store = await Store.open(str(folder / "state.db"), clock=SystemClock())
    await store.close()


def main(folder, scenario):
    """Every point; where another scenario goes the same way at first, the last ones alone."""
    here(lambda: new_store(folder / "template"))
    rehearsal = folder / "rehearsal"
    rehearsal.mkdir()
    # in this process, so that no fork has to import or build again what is made at first use
    one_case(rehearsal.resolve(), scenario, FAR, 0, apart=here)
    gc.freeze()
    number = 1
    if scenario in LAST_POINTS:
        whole = folder / "whole"
        whole.mkdir()
        found = one_case(whole.resolve(), scenario, FAR, 0)
        number = found["before"]["points"] - LAST_POINTS[scenario]
    while True:
        case = folder / f"{number}"
        case.mkdir()
        found = one_case(case.resolve(), scenario, number, number % 11 + 1 if number % 2 else 0)
        print(json.dumps(found), flush=True)
        if not found["killed"]:
            return
        shutil.rmtree(case)
        number += 1


if __name__ == "__main__":
    logging.disable()
    structlog.configure(processors=[], logger_factory=lambda *_: Silent())
    main(Path(sys.argv[1]), sys.argv[2])
