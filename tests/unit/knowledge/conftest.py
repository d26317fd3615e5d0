"""A store in memory and a clock that stands still until told."""

import pytest

from autonomyd.knowledge.store import Store


class StillClock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return StillClock()


@pytest.fixture
async def store(clock):
    opened = await Store.open(":memory:", clock=clock)
    yield opened
    await opened.close()
