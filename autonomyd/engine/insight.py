"""What looks back and ahead: the parts that judge series, logs and changes over time, joined. Each has a file of its
own; they listen to the ring, and take their turn in the loop `insight`. No behaviour of its own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from autonomyd.aio.clock import Clock
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.records import Records
from autonomyd.engine.services import ServiceKeeper
from autonomyd.settings.root import Settings

Part = Callable[[], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Insight:
    """`restore` once the store is open, `tick` at every turn of the loop, `close` before the store closes."""

    restores: tuple[Part, ...] = ()
    ticks: tuple[Part, ...] = ()
    closes: tuple[Part, ...] = ()

    async def restore(self) -> None:
        for part in self.restores:
            await part()

    async def tick(self) -> None:
        for part in self.ticks:
            await part()

    async def close(self) -> None:
        for part in self.closes:
            await part()


def make_insight(
    *,
    clock: Clock,
    settings: Callable[[], Settings],
    state_dir: Path,
    monitoring: SelfMonitoringSystem,
    keeper: ServiceKeeper,
    records: Records,
) -> Insight:
    """The parts, joined, not yet running."""
    return Insight()
