"""The runner as a transaction: journal before act, roll back in reverse, nothing lost when it ends half-way."""

import asyncio

import pytest

from autonomyd.execute.handlers import StepFailure
from autonomyd.execute.runner import Runner, Validation
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import UNFINISHED_FIX_STATES, Fix, FixState, Outcome
from autonomyd.model.plan import Plan, Risk
from autonomyd.model.step import RestartService, SetProbeInterval, StartService, StepResult, StopService
from autonomyd.testing import ManualClock

STOP, START = StopService(service="web", force=True), StartService(service="web")
BEFORE_THE_ACT = ["planned", "approved", "backed_up", "applying"]
HEALED = Validation(outcome=Outcome.HEALED, message="all checks pass")


def plan(*steps, service="web"):
    return Plan(
        strategy="kill-and-start", cause=Cause.PROCESS_HUNG, steps=steps or (STOP, START), confidence=92.0,
        risk=Risk.HIGH, disruptive=True, reversible=True, service=service, preview=("kill web", "start web"),
    )  # fmt: skip


class Crash(BaseException):
    """The daemon dies here."""


class Bench:
    """Handlers, journal and validation that write into one story, in the order in which things happen."""

    def __init__(self, *, validation=HEALED, crash_at=None, kinds=(StopService, StartService, RestartService)):
        self.story, self.disk, self.states = [], [], []
        self.validation, self.crash_at = validation, crash_at
        self.fails, self.undo_fails, self.gate = {}, {}, {}
        self.ids = iter(range(1, 1000))
        self.runner = Runner(
            clock=ManualClock(), handlers=dict.fromkeys(kinds, self),
            journal=self.journal, validate=self.validate, next_id=lambda: next(self.ids),
            on_state=lambda fix: self.states.append(fix.state),
        )  # fmt: skip

    def tell(self, words):
        self.story.append(words)
        if words == self.crash_at:
            raise Crash

    async def journal(self, fix, moves):
        await asyncio.sleep(0)
        self.disk.append(fix)
        self.tell("journal " + ("+".join(move.after for move in moves) or f"step {fix.begun}"))

    async def apply(self, step):
        name = f"{type(step).__name__} {step.service}"
        self.tell(f"begin {name}")
        if name in self.gate:
            await self.gate[name].wait()
        if name in self.fails:
            raise self.fails[name]
        self.tell(f"end {name}")
        return StepResult(ok=True, message=f"did {name}")

    async def undo(self, step):
        name = f"{type(step).__name__} {step.service}"
        self.tell(f"undo {name}")
        if name in self.undo_fails:
            raise self.undo_fails[name]
        return None if isinstance(step, StartService) else StepResult(ok=True, message=f"undid {name}")

    async def recover(self):
        """What the next run does with what the disk holds: the settled fix, and the story of it."""
        before = len(self.story)
        left = self.disk[-1]
        await self.runner.adopt([left])
        return await self.runner.settle(left), self.story[before:]

    async def validate(self, plan, since):
        self.tell("validate")
        if isinstance(self.validation, Exception):
            raise self.validation
        return self.validation


async def test_every_state_is_on_disk_before_the_act_that_it_names():
    bench = Bench()
    fix = await bench.runner.run(plan(), actor="autonomyd")
    assert bench.story == [
        "journal planned+approved+backed_up+applying",
        "begin StopService web", "end StopService web",
        "journal step 2", "begin StartService web", "end StartService web",
        "journal applied+validating",
        "validate",
        "journal committed",
    ]  # fmt: skip
    assert (fix.state, fix.outcome, fix.message) == (FixState.COMMITTED, Outcome.HEALED, "all checks pass")
    assert bench.disk[-1] == fix
    assert [move.after for move in fix.transitions] == [*BEFORE_THE_ACT, "applied", "validating", "committed"]
    assert [move.before for move in fix.transitions] == ["", *BEFORE_THE_ACT, "applied", "validating"]
    assert bench.runner.running == {}


@pytest.mark.parametrize("error", [StepFailure("it survived"), RuntimeError("a fault of ours"), OSError("no")])
async def test_a_step_that_fails_is_rolled_back_in_reverse(error):
    bench = Bench()
    bench.fails["StartService web"] = error
    fix = await bench.runner.run(plan(STOP, RestartService(service="db"), START), actor="autonomyd")
    tail = bench.story[bench.story.index("begin StartService web") + 1 :]
    assert tail == [
        "journal rolling_back", "undo StartService web", "undo RestartService db", "undo StopService web",
        "journal rolled_back",
    ]  # fmt: skip
    assert (fix.state, fix.outcome) == (FixState.ROLLED_BACK, Outcome.INEFFECTIVE)
    assert str(error) in fix.message
    assert "undid StopService web" in fix.message


async def test_what_was_not_begun_is_not_undone():
    bench = Bench()
    bench.fails["StopService web"] = StepFailure("no")
    await bench.runner.run(plan(), actor="autonomyd")
    assert [words for words in bench.story if words.startswith("undo")] == ["undo StopService web"]


@pytest.mark.parametrize(
    ("outcome", "state", "final"),
    [
        (Outcome.HEALED, FixState.COMMITTED, Outcome.HEALED),
        (Outcome.UNVERIFIED, FixState.COMMITTED, Outcome.UNVERIFIED),
        (Outcome.INEFFECTIVE, FixState.ROLLED_BACK, Outcome.INEFFECTIVE),
        (Outcome.WORSENED, FixState.ROLLED_BACK, Outcome.ROLLED_BACK),
    ],
)
async def test_validation_decides_between_commit_and_roll_back(outcome, state, final):
    bench = Bench(validation=Validation(outcome=outcome, message="seen"))
    fix = await bench.runner.run(plan(), actor="autonomyd")
    assert (fix.state, fix.outcome) == (state, final)
    assert ("undo StopService web" in bench.story) is (state is FixState.ROLLED_BACK)
    assert fix.message.startswith("seen")


@pytest.mark.parametrize("error", [StepFailure("it will not come back"), RuntimeError("a fault of ours")])
async def test_an_undo_that_fails_is_told_as_such(error):
    bench = Bench(validation=Validation(outcome=Outcome.INEFFECTIVE, message="still hung"))
    bench.undo_fails["StopService web"] = error
    fix = await bench.runner.run(plan(), actor="autonomyd")
    assert (fix.state, fix.outcome) == (FixState.ROLLBACK_FAILED, Outcome.WORSENED)
    assert "still hung" in fix.message
    assert str(error) in fix.message
    assert bench.disk[-1] == fix


async def test_a_step_that_nobody_can_carry_out_acts_on_nothing_and_ends():
    bench = Bench(kinds=())
    fix = await bench.runner.run(plan(START), actor="autonomyd")
    assert fix.state is FixState.ROLLBACK_FAILED
    assert bench.runner.running == {}


ACTS = ["begin StopService web", "end StopService web", "begin StartService web", "end StartService web"]


@pytest.mark.parametrize(
    ("crash_at", "left"),
    [*((act, FixState.APPLYING) for act in ACTS), ("validate", FixState.VALIDATING)],
)
async def test_a_crash_leaves_the_state_that_was_written_before_the_act(crash_at, left):
    bench = Bench(crash_at=crash_at)
    with pytest.raises(Crash):
        await bench.runner.run(plan(), actor="autonomyd")
    assert bench.disk[-1].state is left
    assert left in UNFINISHED_FIX_STATES
    assert not any(words.startswith("undo") for words in bench.story)


async def test_a_crash_while_rolling_back_leaves_rolling_back():
    bench = Bench(crash_at="undo StopService web")
    bench.fails["StartService web"] = StepFailure("no")
    with pytest.raises(Crash):
        await bench.runner.run(plan(), actor="autonomyd")
    assert bench.disk[-1].state is FixState.ROLLING_BACK


async def test_a_crash_while_the_first_state_is_written_has_done_nothing():
    bench = Bench(crash_at="journal planned+approved+backed_up+applying")
    with pytest.raises(Crash):
        await bench.runner.run(plan(), actor="autonomyd")
    assert bench.story == ["journal planned+approved+backed_up+applying"]


@pytest.mark.parametrize("where", ["StopService web", "StartService web"])
async def test_a_cancelled_fix_stays_as_it_was_written_and_is_settled_later(where):
    bench = Bench()
    bench.gate[where] = asyncio.Event()
    task = asyncio.create_task(bench.runner.run(plan(), actor="autonomyd"))
    await until(lambda: f"begin {where}" in bench.story)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bench.disk[-1].state is FixState.APPLYING
    assert bench.runner.running == {}
    settled, story = await bench.recover()
    begun = ["undo StartService web"] if where.startswith("Start") else []
    assert story == ["journal rolling_back", *begun, "undo StopService web", "journal rolled_back"]
    assert (settled.outcome, settled.ended_at is not None) == (Outcome.UNVERIFIED, True)
    assert "the daemon ended during this fix, before all of it was done" in settled.message
    assert bench.runner.running == {}


async def test_a_validation_that_raises_has_shown_nothing_and_still_ends_the_fix():
    bench = Bench(validation=RuntimeError("a fault of ours"))
    fix = await bench.runner.run(plan(), actor="autonomyd")
    assert (fix.state, fix.outcome) == (FixState.COMMITTED, Outcome.UNVERIFIED)
    assert "a fault of ours" in bench.disk[-1].message
    bench.validation = HEALED
    assert (await bench.runner.run(plan(), actor="autonomyd")).outcome is Outcome.HEALED


async def test_nothing_is_done_when_the_journal_can_not_be_written():
    bench = Bench()

    async def broken(fix, moves):
        raise OSError("no space left on device")

    bench.runner._journal = broken
    with pytest.raises(OSError, match="no space"):
        await bench.runner.run(plan(), actor="autonomyd")
    assert bench.story == []


async def test_fixes_of_one_service_follow_one_another_and_two_services_run_side_by_side():
    bench = Bench()
    bench.gate["StopService web"] = asyncio.Event()
    first = asyncio.create_task(bench.runner.run(plan(), actor="autonomyd"))
    await until(lambda: "begin StopService web" in bench.story)
    second = asyncio.create_task(bench.runner.run(plan(START), actor="uid=1000"))
    db = plan(StopService(service="db"), service="db")
    assert (await bench.runner.run(db, actor="autonomyd")).outcome is Outcome.HEALED
    assert not first.done()
    assert not second.done()
    assert bench.story.count("begin StartService web") == 0
    bench.gate["StopService web"].set()
    fixes = await asyncio.gather(first, second)
    web = [fix for fix in bench.disk if fix.plan.service == "web"]
    assert [fix.id for fix in web] == sorted(fix.id for fix in web)
    assert fixes[1].actor == "uid=1000"
    assert fixes[0].id < fixes[1].id


async def test_who_watches_sees_the_fix_while_it_runs():
    bench = Bench()
    bench.gate["StopService web"] = asyncio.Event()
    task = asyncio.create_task(bench.runner.run(plan(), actor="autonomyd"))
    await until(lambda: "begin StopService web" in bench.story)
    assert [fix.state for fix in bench.runner.running.values()] == [FixState.APPLYING]
    bench.gate["StopService web"].set()
    await task
    assert bench.states == [FixState.APPLYING, FixState.VALIDATING, FixState.COMMITTED]


async def until(true):
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0)


async def test_a_probe_interval_that_was_being_changed_is_back_after_a_restart_and_nothing_is_left_running():
    bench = Bench()
    change = SetProbeInterval(probe="host", before_s=10.0, after_s=20.0)
    fix = Fix(id=5, plan=plan(change), state=FixState.APPLYING, actor="autonomyd", started_at=1.0)
    bench.disk.append(fix)
    settled, story = await bench.recover()
    assert (settled.state, settled.outcome) == (FixState.ROLLED_BACK, Outcome.ROLLED_BACK)
    assert story == ["journal rolled_back"]
    assert bench.runner.running == {}
