"""The supervisor: one loop that raises or hangs is seen, restarted and told about; the others never notice."""

import asyncio
import itertools
from contextlib import asynccontextmanager

import pytest

from autonomyd.aio.supervisor import HEALTHY_AFTER_S, LoopState, SupervisedLoop, Supervisor
from autonomyd.testing import LoopClock

pytestmark = pytest.mark.looptime(resolution=1e-9)


@asynccontextmanager
async def running(supervisor):
    task = asyncio.create_task(supervisor.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def add(supervisor, name, body, interval_s=10.0, **more):
    return supervisor.add(SupervisedLoop(name=name, body=body, interval_s=interval_s, **more))


def now():
    return asyncio.get_running_loop().time()


async def steady(times=None):
    if times is not None:
        times.append(now())


async def test_a_body_runs_at_once_and_then_every_interval():
    supervisor, times = Supervisor(LoopClock()), []
    loop = add(supervisor, "steady", lambda: steady(times))
    async with running(supervisor):
        await asyncio.sleep(35.0)
    assert times == [0.0, 10.0, 20.0, 30.0]
    assert (loop.runs, loop.failures) == (4, 0)
    assert loop.state is LoopState.STOPPED


async def test_a_body_may_say_when_it_wants_to_run_again():
    supervisor, times = Supervisor(LoopClock()), []

    async def body():
        times.append(now())
        return 2.5

    add(supervisor, "own", body)
    async with running(supervisor):
        await asyncio.sleep(6.0)
    assert times == [0.0, 2.5, 5.0]


async def test_a_loop_that_raises_is_restarted_with_growing_waits_and_the_others_never_notice():
    supervisor, failed_at, steady_at = Supervisor(LoopClock()), [], []

    async def broken():
        failed_at.append(now())
        raise ValueError("no such thing")

    loop = add(supervisor, "broken", broken)
    other = add(supervisor, "steady", lambda: steady(steady_at))
    async with running(supervisor):
        await asyncio.sleep(31.0)
        assert loop.state is LoopState.DEGRADED
        assert other.state is LoopState.RUNNING
    waits = [later - earlier for earlier, later in itertools.pairwise(failed_at)]
    assert len(waits) >= 4
    assert all(0.9 * 0.5 * 2**n <= wait <= 1.1 * 0.5 * 2**n for n, wait in enumerate(waits))
    assert loop.failures == loop.runs == len(failed_at)
    assert loop.last_error == "ValueError: no such thing"
    assert steady_at == [0.0, 10.0, 20.0, 30.0]


async def test_a_loop_that_failed_is_degraded_until_it_was_well_for_long_enough():
    supervisor, outcomes = Supervisor(LoopClock()), iter([True, False])

    async def once_broken():
        if not next(outcomes, True):
            raise RuntimeError("once")

    loop = add(supervisor, "mended", once_broken)
    async with running(supervisor):
        await asyncio.sleep(15.0)
        assert (loop.state, loop.failures, loop.failed_in_a_row) == (LoopState.DEGRADED, 1, 0)
        await asyncio.sleep(HEALTHY_AFTER_S - 10.0)
        assert loop.state is LoopState.DEGRADED
        await asyncio.sleep(10.0)
        assert loop.state is LoopState.RUNNING


async def test_wake_comes_before_the_interval_is_over():
    supervisor, times = Supervisor(LoopClock()), []
    loop = add(supervisor, "woken", lambda: steady(times))
    async with running(supervisor):
        await asyncio.sleep(3.0)
        loop.wake.set()
        await asyncio.sleep(11.0)
    assert times == [0.0, 3.0, 13.0]


async def test_a_wake_while_the_body_runs_is_not_lost():
    supervisor, times = Supervisor(LoopClock()), []

    async def slow():
        times.append(now())
        await asyncio.sleep(2.0)

    loop = add(supervisor, "slow", slow)
    async with running(supervisor):
        await asyncio.sleep(1.0)
        loop.wake.set()
        await asyncio.sleep(4.0)
    assert times == [0.0, 2.0]


async def test_a_stuck_loop_is_stalled_and_the_others_are_not():
    supervisor = Supervisor(LoopClock())

    async def stuck():
        await asyncio.Event().wait()

    add(supervisor, "stuck", stuck, stuck_after_s=60.0)
    add(supervisor, "steady", steady, stuck_after_s=60.0)
    async with running(supervisor):
        await asyncio.sleep(60.0)
        assert supervisor.stalled() == ()
        await asyncio.sleep(1.0)
        assert supervisor.stalled() == ("stuck",)
        await asyncio.sleep(600.0)
        assert supervisor.stalled() == ("stuck",)


async def test_waiting_for_a_long_interval_is_not_stalled():
    supervisor = Supervisor(LoopClock())
    add(supervisor, "rare", steady, interval_s=3600.0)
    async with running(supervisor):
        await asyncio.sleep(3599.0)
        assert supervisor.stalled() == ()


async def test_ready_when_every_loop_has_run_once_even_when_one_failed():
    supervisor = Supervisor(LoopClock())

    async def slow():
        await asyncio.sleep(4.0)

    async def broken():
        raise OSError("no")

    add(supervisor, "slow", slow)
    add(supervisor, "broken", broken)
    async with running(supervisor):
        await supervisor.wait_ready()
        assert now() == 4.0


async def test_setting_the_wall_clock_changes_no_interval():
    clock = LoopClock()
    supervisor, times = Supervisor(clock), []
    add(supervisor, "steady", lambda: steady(times))
    async with running(supervisor):
        await asyncio.sleep(5.0)
        clock.set_wall(0.0)
        await asyncio.sleep(10.0)
        clock.set_wall(9e9)
        await asyncio.sleep(10.0)
        assert supervisor.stalled() == ()
    assert times == [0.0, 10.0, 20.0]
