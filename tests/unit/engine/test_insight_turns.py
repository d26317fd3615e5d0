"""The parts of insight take their turns one by one: none of them holds up another, or the daemon."""

import pytest

from autonomyd.engine.insight.turns import Turns


@pytest.fixture
def done():
    return []


@pytest.fixture
def parts(done):
    async def broken():
        raise ValueError("a fault of ours")

    async def works():
        done.append("works")

    return Turns(restores=(broken, works), ticks=(broken, works), closes=(broken, works))


async def test_a_turn_goes_on_after_a_part_that_fails_and_tells_it_to_the_loop(parts, done):
    with pytest.raises(ExceptionGroup, match="a fault of ours"):
        await parts.tick()
    assert done == ["works"]


async def test_neither_the_start_nor_the_end_is_held_up(parts, done):
    await parts.restore()
    await parts.close()
    assert done == ["works", "works"]
