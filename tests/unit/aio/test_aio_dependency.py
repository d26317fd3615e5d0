import asyncio
from dataclasses import dataclass

import pytest

from autonomyd.aio.clock import Clock
from autonomyd.aio.dependency import BreakerChange, Dependencies, Dependency, DependencyOpen
from autonomyd.model.dependency import BreakerState
from autonomyd.testing import ManualClock


@dataclass
class Limits:
    failures: int = 3
    recovery_s: float = 30.0
    timeout_s: float = 5.0
    concurrent: int = 2


class RefusedError(Exception):
    pass


async def works() -> str:
    return "fine"


async def fails() -> str:
    raise RefusedError("connection refused")


@pytest.fixture
def changes() -> list[BreakerChange]:
    return []


def made(changes: list[BreakerChange], clock: Clock, limits: Limits | None = None) -> Dependency:
    return Dependencies(clock, limits_of=lambda family: limits or Limits(), on_change=changes.append).of("redis", "a")


async def broken(dependency: Dependency, *, times: int = 3) -> None:
    for _ in range(times):
        with pytest.raises(RefusedError):
            await dependency.call(fails)


async def test_opens_after_failures_in_a_row_and_asks_no_more(changes: list[BreakerChange]) -> None:
    dependency = made(changes, ManualClock())
    await broken(dependency, times=2)
    assert await dependency.call(works) == "fine"
    await broken(dependency, times=3)
    asked = 0

    async def count() -> None:
        nonlocal asked
        asked += 1

    with pytest.raises(DependencyOpen, match=r"redis:a is not asked for another 30 s.*connection refused"):
        await dependency.call(count)
    assert asked == 0
    status = dependency.status()
    assert (status.state, status.calls, status.failed, status.refused) == (BreakerState.OPEN, 6, 5, 1)
    assert [(each.before, each.after) for each in changes] == [(BreakerState.CLOSED, BreakerState.OPEN)]


async def test_one_trial_after_the_wait_decides(changes: list[BreakerChange]) -> None:
    clock = ManualClock()
    dependency = made(changes, clock)
    await broken(dependency)
    clock.advance(30.0)
    assert dependency.state is BreakerState.HALF_OPEN
    await broken(dependency, times=1)
    assert dependency.state is BreakerState.OPEN
    clock.advance(30.0)
    assert await dependency.call(works) == "fine"
    assert dependency.state is BreakerState.CLOSED
    assert [each.after for each in changes] == [BreakerState.OPEN, BreakerState.CLOSED]
    assert dependency.status().message == ""


async def test_only_one_call_is_the_trial(changes: list[BreakerChange]) -> None:
    clock = ManualClock()
    dependency = made(changes, clock)
    await broken(dependency)
    clock.advance(30.0)
    gate = asyncio.Event()
    trial = asyncio.create_task(dependency.call(gate.wait))
    await asyncio.sleep(0)
    with pytest.raises(DependencyOpen):
        await dependency.call(works)
    trial.cancel()
    await asyncio.wait((trial,))
    assert await dependency.call(works) == "fine"  # a cancelled trial leaves its place to the next


async def test_a_health_check_asks_while_the_breaker_is_open_and_closes_it(changes: list[BreakerChange]) -> None:
    dependency = made(changes, ManualClock())
    await broken(dependency)
    with pytest.raises(RefusedError):
        await dependency.call(fails, trial=True)
    assert dependency.state is BreakerState.OPEN
    assert await dependency.call(works, trial=True) == "fine"
    assert dependency.state is BreakerState.CLOSED


async def test_an_answer_that_says_no_is_no_failure(changes: list[BreakerChange]) -> None:
    dependency = made(changes, ManualClock())
    for _ in range(5):
        with pytest.raises(RefusedError):
            await dependency.call(fails, blames=lambda error: False)
    await broken(dependency, times=2)
    for _ in range(5):
        with pytest.raises(RefusedError):
            await dependency.call(fails, blames=lambda error: None)
    assert dependency.status().failures == 2, "what taught nothing neither counts nor clears"


@pytest.mark.looptime
async def test_silence_ends_at_the_time_out(changes: list[BreakerChange]) -> None:
    dependency = made(changes, ManualClock())
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await dependency.call(asyncio.Event().wait, timeout_s=2.0)
    assert dependency.status().message == "no answer within 2 s"
    assert dependency.state is BreakerState.OPEN


@pytest.mark.looptime
async def test_the_bulkhead_lets_only_so_many_in(changes: list[BreakerChange]) -> None:
    dependency = made(changes, ManualClock())
    gate = asyncio.Event()
    inside = [asyncio.create_task(dependency.call(gate.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await dependency.call(works, timeout_s=1.0)
    assert dependency.status().failures == 0, "who only waited for others learned nothing"
    gate.set()
    await asyncio.gather(*inside)
    assert await dependency.call(works) == "fine"


@pytest.mark.looptime
async def test_retries_wait_longer_each_time(changes: list[BreakerChange]) -> None:
    dependency = made(changes, ManualClock(), Limits(failures=5))
    answers = iter((fails, fails, works))

    async def improves() -> str:
        return await next(answers)()

    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await dependency.call(improves, retries=2) == "fine"
    assert loop.time() - began == pytest.approx(0.2 + 0.4)


async def test_a_breaker_that_opens_ends_the_retries(changes: list[BreakerChange]) -> None:
    dependency = made(changes, ManualClock(), Limits(failures=2))
    with pytest.raises(DependencyOpen):
        await dependency.call(fails, retries=3)
    assert dependency.status().calls == 2


async def test_status_shows_what_was_asked_and_new_limits_hold(changes: list[BreakerChange]) -> None:
    limits = Limits()
    known = Dependencies(ManualClock(), limits_of=lambda family: limits)
    known.of("redis", "never asked")
    await known.of("redis", "a").call(works)
    assert list(known.statuses()) == ["redis:a"]
    limits.failures = 2
    known.reload()
    await broken(known.of("redis", "a"), times=2)
    assert known.of("redis", "a").state is BreakerState.OPEN
