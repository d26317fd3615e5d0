"""Fixes take turns over everything that they touch, not only over the service that they are for."""

import asyncio
import dataclasses

import pytest

from autonomyd.execute.filework import FileWork
from autonomyd.execute.runner import Runner, Validation
from autonomyd.knowledge.backups import Backups
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.plan import Plan, Risk
from autonomyd.model.step import RestartService, RunCommand, StartService, StepResult, StopService
from autonomyd.testing import ManualClock


def plan(service, *steps, **more):
    given = {"cause": Cause.PROCESS_HUNG} | more
    return Plan(
        strategy="s", steps=steps, confidence=92.0, risk=Risk.HIGH, disruptive=True, reversible=True, service=service,
        **given,
    )  # fmt: skip


class Bench:
    """A runner whose first act waits at a gate; `story` are the services that were acted on."""

    def __init__(self, files=None, outcome=Outcome.HEALED):
        self.story, self.gate, self.outcome = [], asyncio.Event(), outcome
        ids = iter(range(1, 100))
        kinds = (StopService, StartService, RestartService, RunCommand)
        self.runner = Runner(
            clock=ManualClock(), handlers=dict.fromkeys(kinds, self), journal=self.journal, validate=self.validate,
            next_id=lambda: next(ids), runs=lambda name: True, files=files,
        )  # fmt: skip

    async def journal(self, fix, moves):
        await asyncio.sleep(0)

    async def validate(self, plan, since):
        return Validation(outcome=self.outcome, message="seen")

    async def apply(self, step):
        self.story.append(step.argv[0] if isinstance(step, RunCommand) else step.service)
        if len(self.story) == 1:
            await self.gate.wait()
        return StepResult(ok=True, message="done")

    async def undo(self, step):
        return None

    async def begin(self, plan):
        task = asyncio.create_task(self.runner.run(plan, actor="autonomyd"))
        for _ in range(20):
            await asyncio.sleep(0)
        return task


async def test_the_fix_of_a_child_waits_for_the_restart_of_the_whole_stack():
    bench = Bench()
    stack = await bench.begin(plan("db", StopService(service="web"), RestartService(service="db")))
    assert (bench.runner.busy("db"), bench.runner.busy("web"), bench.runner.busy("other")) == (True, True, False)
    child = await bench.begin(plan("web", RestartService(service="web")))
    other = await bench.begin(plan("other", RestartService(service="other")))
    assert (await other).outcome is Outcome.HEALED
    assert bench.story == ["web", "other"]
    bench.gate.set()
    await asyncio.gather(stack, child)
    assert bench.story == ["web", "other", "db", "web"]
    assert not bench.runner.busy("web")


async def test_stacks_that_overlap_do_not_wait_for_one_another_for_ever():
    bench = Bench()
    one = await bench.begin(plan("a", StopService(service="b"), RestartService(service="a")))
    two = await bench.begin(plan("b", StopService(service="a"), RestartService(service="b")))
    bench.gate.set()
    async with asyncio.timeout(5):
        await asyncio.gather(one, two)
    assert bench.story == ["b", "a", "a", "b"]


async def test_two_services_that_share_a_file_are_fixed_one_after_the_other(tmp_path):
    shared = tmp_path / "shared.conf"
    shared.write_text("x")
    bench = Bench(FileWork(Backups(tmp_path / "backups")))
    write = RunCommand(argv=("one",), undo=("back",), writes=(str(shared),))
    first = asyncio.create_task(bench.runner.run(plan("one", write), actor="autonomyd"))
    async with asyncio.timeout(5):
        while not bench.story:
            await asyncio.sleep(0.01)
    second = await bench.begin(plan("two", dataclasses.replace(write, argv=("two",))))
    await asyncio.sleep(0.05)
    assert bench.story == ["one"]
    bench.gate.set()
    await asyncio.gather(first, second)
    assert bench.story == ["one", "two"]


async def test_what_a_recovered_fix_touches_is_busy_until_each_of_them_has_ended():
    bench = Bench()
    bench.gate.set()
    made = plan("db", StopService(service="web"), RestartService(service="db"))
    left = [
        Fix(id=7, plan=made, state=FixState.APPLYING, actor="autonomyd", started_at=1.0, begun=1),
        Fix(
            id=8, plan=plan("web", RestartService(service="web")), state=FixState.VALIDATING, actor="autonomyd",
            started_at=1.0, begun=1,
        ),
    ]  # fmt: skip
    await bench.runner.adopt(left)
    await bench.runner.settle(left[0])
    assert (bench.runner.busy("db"), bench.runner.busy("web")) == (False, True)
    await bench.runner.settle(left[1])
    assert not bench.runner.busy("web")


@pytest.mark.parametrize("cause", [Cause.REQUESTED, Cause.PROCESS_GONE])
async def test_a_start_that_could_not_be_verified_stays(cause):
    bench = Bench(outcome=Outcome.UNVERIFIED)
    bench.gate.set()
    fix = await bench.runner.run(plan("web", StartService(service="web"), cause=cause), actor="uid=0 pid=1")
    assert (fix.state, fix.outcome) == (FixState.COMMITTED, Outcome.UNVERIFIED)
