"""What looks back and ahead: the parts that judge series, logs and changes over time, joined. Each has a file of its
own; they listen to the ring, and take their turn in the loop `insight`. No behaviour of its own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.engine.insight.absences import AbsenceWatch
from autonomyd.engine.insight.foresight import Foresight
from autonomyd.engine.insight.graph import GraphKeeper
from autonomyd.engine.insight.log_insight import LogInsight
from autonomyd.engine.insight.predictions import PredictionBook
from autonomyd.engine.insight.quiet import QuietHours
from autonomyd.engine.insight.rates import RateWatch
from autonomyd.engine.insight.rollups import RollupKeeper
from autonomyd.engine.insight.shifts import ShiftWatch
from autonomyd.engine.insight.surprises import SurpriseWatch
from autonomyd.engine.insight.timeline import Timeline
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.records import Records
from autonomyd.engine.services import ServiceKeeper
from autonomyd.settings.root import Settings

log = structlog.get_logger(__name__)

Part = Callable[[], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Insight:
    """`restore` once the store is open, `tick` at every turn of the loop, `close` before the store closes."""

    surprises: SurpriseWatch
    foresight: Foresight
    restores: tuple[Part, ...] = ()
    ticks: tuple[Part, ...] = ()
    closes: tuple[Part, ...] = ()

    async def restore(self) -> None:
        await _told(self.restores)

    async def tick(self) -> None:
        """Raises ExceptionGroup, when all have had their turn."""
        failures = await _each(self.ticks)
        if failures:
            raise ExceptionGroup(", ".join(map(str, failures)), failures)

    async def close(self) -> None:
        await _told(self.closes)


async def _each(parts: tuple[Part, ...]) -> list[Exception]:
    """One after the other, whatever becomes of those before; what they raised."""
    failures: list[Exception] = []
    for part in parts:
        try:
            await part()
        except Exception as error:
            failures.append(error)
    return failures


async def _told(parts: tuple[Part, ...]) -> None:
    """The same where nothing may be held up: watching and healing go on without what was learned."""
    for failure in await _each(parts):
        log.error("insight_failed", exc_info=failure)


def make_insight(
    *,
    clock: Clock,
    settings: Callable[[], Settings],
    state_dir: Path,
    monitoring: SelfMonitoringSystem,
    keeper: ServiceKeeper,
    records: Records,
    timeline: Timeline,
    logs: LogInsight,
    graph: GraphKeeper,
    predictions: PredictionBook,
    quiet: QuietHours,
) -> Insight:
    """The parts, joined, not yet running."""
    rollups = RollupKeeper(clock=clock, metrics=monitoring.metrics, records=records)
    shifts = ShiftWatch(clock=clock, records=records, metrics=monitoring.metrics)
    rates = RateWatch(clock=clock, settings=settings, book=monitoring.book, metrics=monitoring.metrics)
    absences = AbsenceWatch(clock=clock, settings=settings, monitoring=monitoring, services=lambda: keeper.services)
    surprises = SurpriseWatch(clock=clock, records=records, metrics=monitoring.metrics, book=monitoring.book)
    foresight = Foresight(
        clock=clock,
        settings=settings,
        monitoring=monitoring,
        services=lambda: keeper.services,
        records=records,
        on_forecast=predictions.from_forecast,
    )
    return Insight(
        surprises=surprises,
        foresight=foresight,
        restores=(
            timeline.restore,
            logs.restore,
            predictions.restore,
            quiet.restore,
            surprises.restore,
            foresight.restore,
        ),
        ticks=(
            rollups.tick,
            timeline.tick,
            graph.tick,
            rates.tick,
            absences.tick,
            surprises.tick,
            foresight.tick,
            predictions.tick,
            quiet.tick,
            logs.tick,
        ),
        closes=(
            rollups.close,
            shifts.close,
            rates.close,
            absences.close,
            quiet.close,
            logs.close,
            surprises.close,
            foresight.close,
        ),
    )
