"""Puts the parts of insight together: who listens to whom, and in which order they take their turns."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autonomyd.aio.clock import Clock
from autonomyd.engine.facts import FactReader
from autonomyd.engine.facts.changes import ChangesReader
from autonomyd.engine.facts.log_errors import LogErrorsReader
from autonomyd.engine.facts.moment import MomentReader
from autonomyd.engine.facts.suspects import SuspectsReader
from autonomyd.engine.insight.absences import AbsenceWatch
from autonomyd.engine.insight.foresight import Foresight
from autonomyd.engine.insight.graph import GraphKeeper
from autonomyd.engine.insight.log_insight import LogInsight
from autonomyd.engine.insight.predictions import PredictionBook, make_predictions
from autonomyd.engine.insight.quiet import QuietHours
from autonomyd.engine.insight.rates import RateWatch
from autonomyd.engine.insight.rollups import RollupKeeper
from autonomyd.engine.insight.shifts import ShiftWatch
from autonomyd.engine.insight.surprises import SurpriseWatch
from autonomyd.engine.insight.timeline import Timeline
from autonomyd.engine.insight.turns import Turns
from autonomyd.engine.insight.workbench import Workbench
from autonomyd.engine.known_good import KnownGood
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.records import Records
from autonomyd.engine.services import ServiceKeeper
from autonomyd.host.containers.engines import ContainerEngines
from autonomyd.settings.root import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Insight:
    """`readers` bring what is known here into the situation of an issue."""

    timeline: Timeline
    graph: GraphKeeper
    logs: LogInsight
    surprises: SurpriseWatch
    foresight: Foresight
    predictions: PredictionBook
    workbench: Workbench
    readers: tuple[FactReader, ...]
    turns: Turns


def make_insight(
    *,
    clock: Clock,
    settings: Callable[[], Settings],
    state_dir: Path,
    records: Records,
    monitoring: SelfMonitoringSystem,
    keeper: ServiceKeeper,
    containers: ContainerEngines,
    known_good: KnownGood,
) -> Insight:
    """The parts, joined, not yet running."""
    metrics, book = monitoring.metrics, monitoring.book
    timeline = Timeline(clock=clock, records=records, services=lambda: keeper.services, known=known_good)
    graph = GraphKeeper(clock=clock, keeper=keeper, containers=containers)
    logs = LogInsight(
        clock=clock,
        settings=settings,
        services=lambda: keeper.services,
        containers=containers,
        records=records,
        book=book,
        state_dir=state_dir,
    )
    log_errors = LogErrorsReader(monitoring.probe, logs.errors)
    predictions = make_predictions(
        clock=clock,
        settings=settings,
        records=records,
        monitoring=monitoring,
        log_errors=lambda: log_errors.of_all(keeper.services.values()),
    )
    quiet = QuietHours(clock=clock, settings=settings, records=records, monitoring=monitoring)
    foresight = Foresight(
        clock=clock,
        settings=settings,
        monitoring=monitoring,
        services=lambda: keeper.services,
        records=records,
        on_forecast=predictions.from_forecast,
    )
    rollups = RollupKeeper(clock=clock, metrics=metrics, records=records)
    shifts = ShiftWatch(clock=clock, records=records, metrics=metrics)
    rates = RateWatch(clock=clock, settings=settings, book=book, metrics=metrics)
    absences = AbsenceWatch(clock=clock, settings=settings, monitoring=monitoring, services=lambda: keeper.services)
    surprises = SurpriseWatch(clock=clock, records=records, metrics=metrics, book=book)
    learners = (logs, predictions, quiet, surprises, foresight)
    listeners = (rollups, shifts, rates, absences, quiet, logs, surprises, foresight)
    return Insight(
        timeline=timeline,
        graph=graph,
        logs=logs,
        surprises=surprises,
        foresight=foresight,
        predictions=predictions,
        workbench=Workbench(clock=clock, metrics=metrics, records=records),
        readers=(
            log_errors,
            ChangesReader(clock, timeline),
            SuspectsReader(clock, metrics, graph.graph),
            MomentReader(metrics, predictions=predictions, quiet=quiet, forecast_of=foresight.forecast_of),
        ),
        turns=Turns(
            restores=(timeline.restore, *(each.restore for each in learners)),
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
            closes=tuple(each.close for each in listeners),
        ),
    )
