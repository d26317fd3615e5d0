"""Random fixes with random faults: whatever fails, raises, hangs or dies where, a fix is never half done.

Real files and backups, services in memory. A `point` is every act of a handler and every write of the journal; the
fault comes at one of them. After a death the next runner recovers from what is on disk."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from autonomyd.execute.filework import FileWork
from autonomyd.execute.handlers import StepFailure
from autonomyd.execute.runner import Runner, Validation
from autonomyd.execute.steps.file_changes import RemoveFileHandler, SwitchLinkHandler, WriteFileHandler
from autonomyd.knowledge.backups import Backups
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import UNFINISHED_FIX_STATES, FixState, Outcome
from autonomyd.model.plan import Plan, Risk
from autonomyd.model.step import (
    RemoveFile,
    RestartService,
    RunCommand,
    StartService,
    StepResult,
    StopService,
    SwitchLink,
    WriteFile,
)
from autonomyd.testing import ManualClock

FILES = ("a", "b", "c")
FAULTS = ("none", "fail", "raise", "hang", "die")
KINDS = ("write a", "write b", "write new", "remove c", "link", "command", "other", "stop", "start", "restart")
SERVICE = (StopService, StartService, RestartService)


class Death(BaseException):
    """The daemon ends here."""


class World(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)).resolve()
        (self.folder / "etc").mkdir()
        for name in FILES:
            (self.folder / "etc" / name).write_text(f"{name}0")
        (self.folder / "etc" / "text").write_text("text0")
        (self.folder / "etc" / "1").mkdir()
        (self.folder / "etc" / "2").mkdir()
        (self.folder / "etc" / "link").symlink_to("1")
        self.disk, self.ends, self.problems = {}, {}, []
        self.up, self.number = True, 0
        self.before, self.unfinished = None, None
        self.loop = asyncio.new_event_loop()

    def teardown(self):
        if hasattr(self, "loop"):
            self.loop.close()
            shutil.rmtree(self.folder)

    # --- what a runner is given ------------------------------------------------------------------------------------

    def new_runner(self, fault, at, outcome):
        self.fault, self.at, self.points, self.outcome = fault, at, 0, outcome
        self.hung = asyncio.Event()
        files = FileWork(Backups(self.folder / "backups"))
        self.objects = files.backups.objects
        handlers = dict.fromkeys((*SERVICE, RunCommand), self)
        handlers |= {
            WriteFile: WriteFileHandler(files), RemoveFile: RemoveFileHandler(files),
            SwitchLink: SwitchLinkHandler(files),
        }  # fmt: skip
        return Runner(
            clock=ManualClock(), handlers=handlers, journal=self.journal, validate=self.validate,
            next_id=lambda: self.number, runs=lambda name: self.up, files=files,
        )  # fmt: skip

    async def point(self, *, acts):
        self.points += 1
        if self.points != self.at:
            return
        if self.fault == "die":
            raise Death
        if self.fault == "hang":
            self.hung.set()
            await asyncio.Event().wait()
        if acts and self.fault == "fail":
            raise StepFailure("it failed")
        if acts and self.fault == "raise":
            raise RuntimeError("a fault of ours")

    async def journal(self, fix, moves):
        await self.point(acts=False)
        known = self.disk.get(fix.id)
        if known is not None and known.ended_at is not None:
            self.problems.append("it was written after its end")
        self.disk[fix.id] = fix
        if fix.ended_at is not None:
            self.ends[fix.id] = self.ends.get(fix.id, 0) + 1
        await self.point(acts=False)

    async def apply(self, step):
        fix = self.disk[self.number]
        if fix.state not in (FixState.APPLYING, FixState.ROLLING_BACK) or step not in self.known_steps(fix):
            self.problems.append(f"{step} was done in the state {fix.state}, {fix.begun} steps begun")
        forward = fix.state is FixState.APPLYING
        await self.point(acts=forward)
        if isinstance(step, RunCommand):
            if not step.writes:
                return StepResult(ok=True, message="done")
            (self.folder / "etc" / "text").write_text("text1")
        else:
            self.up = not isinstance(step, StopService)
        await self.point(acts=forward)
        return StepResult(ok=True, message="done")

    def known_steps(self, fix):
        """Those that are known to be begun; a restart that puts restored files in force belongs to no step."""
        return (*fix.plan.steps[: fix.begun], *([RestartService(service="web")] if self.is_back(fix) else []))

    def is_back(self, fix):
        return fix.state is FixState.ROLLING_BACK

    async def undo(self, step):
        fix = self.disk[self.number]
        if fix.state is not FixState.ROLLING_BACK or step not in fix.plan.steps[: fix.begun]:
            self.problems.append(f"{step} was undone in the state {fix.state}, {fix.begun} steps begun")
        place = fix.plan.steps.index(step) - (len(KINDS) if isinstance(step, SERVICE) else 0)
        if self.undone and self.undone[-1] < place:
            self.problems.append("not undone in reverse")
        self.undone.append(place)
        await self.point(acts=False)
        if isinstance(step, SERVICE):
            if self.up:
                return None
            self.up = True
        await self.point(acts=False)
        return StepResult(ok=True, message="undone")

    async def validate(self, plan, since):
        await self.point(acts=True)
        return Validation(outcome=self.outcome, message="seen")

    # --- what happens ------------------------------------------------------------------------------------------------

    def picture(self):
        etc = self.folder / "etc"
        return {
            path.name: os.readlink(path) if path.is_symlink() else path.read_text()
            for path in sorted(etc.iterdir())
            if not path.is_dir() or path.is_symlink()
        }

    def steps_of(self, kinds):
        etc, held = self.folder / "etc", self.picture()
        objects = FileWork(Backups(self.folder / "backups")).backups.objects

        def content(name):
            return objects.put(held[name].encode())

        made = []
        for kind in kinds:
            word, _, name = kind.partition(" ")
            if word == "write" and (name in held or name == "new"):
                path, before = str(etc / name), content(name) if name in held else None
                new = objects.put(f"{name}{self.number}".encode())
                made.append(WriteFile(path=path, sha256=new, before_sha256=before))
            elif word == "remove" and name in held:
                made.append(RemoveFile(path=str(etc / name), before_sha256=content(name)))
            elif word == "link":
                now = held["link"]
                made.append(SwitchLink(path=str(etc / "link"), target="2" if now == "1" else "1", before=now))
            elif word == "command":
                made.append(RunCommand(argv=("true",), undo=("true",), writes=(str(etc / "text"),)))
            elif word == "other":
                made.append(RunCommand(argv=("other",), undo=("true",)))
            elif word in ("stop", "start", "restart"):
                kinds_of = {"stop": StopService, "start": StartService, "restart": RestartService}
                made.append(kinds_of[word](service="web"))
        return tuple(made)

    @precondition(lambda self: self.unfinished is None)
    @rule(
        kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=6, unique=True),
        fault=st.sampled_from(FAULTS), at=st.integers(1, 30), outcome=st.sampled_from(Outcome),
    )  # fmt: skip
    def fix(self, kinds, fault, at, outcome):
        self.number += 1
        steps = self.steps_of(kinds)
        if not steps:
            return
        self.before, self.was_up, self.undone, self.edited = self.picture(), self.up, [], {}
        self.ends_down = any(isinstance(step, StopService) for step in steps)
        plan = Plan(
            strategy="test", cause=Cause.CONFIG_CHANGED, steps=steps, confidence=90.0, risk=Risk.LOW,
            disruptive=True, reversible=True, service="web",
        )  # fmt: skip
        runner = self.new_runner(fault, at, outcome)
        self.go(runner.run(plan, actor="autonomyd"))

    @precondition(lambda self: self.unfinished is not None)
    @rule(
        fault=st.sampled_from(("none", "none", "hang", "die")), at=st.integers(1, 12), outcome=st.sampled_from(Outcome)
    )
    def recover(self, fault, at, outcome):
        left, self.undone = self.disk[self.number], []
        runner = self.new_runner(fault, at, outcome)

        async def settle():
            await runner.adopt([left])
            return await runner.settle(left)

        self.go(settle())

    @precondition(lambda self: self.unfinished is not None)
    @rule(name=st.sampled_from(("a", "b")))
    def somebody_edits(self, name):
        """While the daemon is dead a person writes into a file; nobody overwrites that."""
        self.edited[name] = f"by hand {self.number}"
        (self.folder / "etc" / name).write_text(self.edited[name])

    def go(self, work):
        async def bounded():
            task = asyncio.ensure_future(work)
            hung = asyncio.ensure_future(self.hung.wait())
            await asyncio.wait((task, hung), return_when=asyncio.FIRST_COMPLETED)
            hung.cancel()
            if not task.done():
                task.cancel()
            return (await asyncio.gather(task, return_exceptions=True))[0]

        with contextlib.suppress(Death):
            self.loop.run_until_complete(bounded())
        found = self.disk.get(self.number)
        self.unfinished = found if found is not None and found.state in UNFINISHED_FIX_STATES else None
        if found is None:
            assert self.picture() == self.before
        elif self.unfinished is None:
            self.judge(found)

    def judge(self, fix):
        assert fix.state in (FixState.COMMITTED, FixState.ROLLED_BACK), fix.message
        held = self.picture()
        wanted = dict(self.before)
        if fix.state is FixState.COMMITTED:
            wanted = self.as_written(fix, wanted)
        assert held == wanted | self.edited, fix.message
        if fix.state is FixState.ROLLED_BACK and self.was_up:
            assert self.up, fix.message
        for name in self.edited:
            if self.edited[name] != self.before.get(name) and any(name in path for path in self.written(fix)):
                assert "somebody else" in fix.message or fix.state is FixState.COMMITTED or fix.begun == 0, fix.message
        self.up = True

    def written(self, fix):
        return [Path(step.path).name for step in fix.plan.steps[: fix.begun] if isinstance(step, WriteFile)]

    def as_written(self, fix, wanted):
        for step in fix.plan.steps:
            if isinstance(step, WriteFile):
                name = Path(step.path).name
                wanted[name] = f"{name}{self.number}"
            elif isinstance(step, RemoveFile):
                wanted.pop("c")
            elif isinstance(step, SwitchLink):
                wanted["link"] = step.target
            elif isinstance(step, RunCommand) and step.writes:
                wanted["text"] = "text1"
        return wanted

    @invariant()
    def nothing_was_done_out_of_order(self):
        if hasattr(self, "problems"):
            assert self.problems == []
            assert all(count == 1 for count in self.ends.values())


World.TestCase.settings = settings(max_examples=60, stateful_step_count=10, deadline=None)
TestRandomFixes = World.TestCase
