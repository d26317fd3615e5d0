"""Puts the parts of the system together: who gets whom. No behaviour of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from autonomyd.aio.clock import Clock
from autonomyd.aio.dependency import Dependencies
from autonomyd.aio.supervisor import Supervisor
from autonomyd.analyze.issuebook import Listener
from autonomyd.engine.alerting import make_alerting
from autonomyd.engine.approvals import ApprovalDesk
from autonomyd.engine.backups import BackupKeeper
from autonomyd.engine.cleaning import Cleaner
from autonomyd.engine.containers import ContainerKeeper
from autonomyd.engine.databases import DatabaseHands
from autonomyd.engine.facts import FactReader
from autonomyd.engine.facts.config import ConfigReader
from autonomyd.engine.facts.container import ContainerReader
from autonomyd.engine.facts.culprit import CulpritReader
from autonomyd.engine.facts.logs import LogsReader
from autonomyd.engine.facts.numbers import NumbersReader
from autonomyd.engine.facts.pid_file import PidFileReader
from autonomyd.engine.facts.ports import PortsReader
from autonomyd.engine.facts.release import ReleaseReader
from autonomyd.engine.facts.sessions import SessionsReader
from autonomyd.engine.facts.sqlite import SqliteReader
from autonomyd.engine.goal_inputs import ForecastOf
from autonomyd.engine.goals import AutonomousGoalSetting
from autonomyd.engine.hands import handlers_of
from autonomyd.engine.healing import SelfHealingSystem
from autonomyd.engine.history import FixHistory
from autonomyd.engine.incidents import Sources
from autonomyd.engine.insight.assembly import make_insight
from autonomyd.engine.known_good import KnownGood
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.optimization import SelfOptimizationSystem
from autonomyd.engine.parts import Parts, Site
from autonomyd.engine.pause import PauseSwitch
from autonomyd.engine.playbooks import Shelf
from autonomyd.engine.records import Records
from autonomyd.engine.services import OnState, ServiceKeeper
from autonomyd.engine.situation import SituationReader
from autonomyd.engine.trust import DAY_S, Trust
from autonomyd.engine.verify import Verifier
from autonomyd.engine.watching import ServiceWatch
from autonomyd.execute.filework import FileWork
from autonomyd.execute.handlers import Handlers
from autonomyd.execute.runner import Runner
from autonomyd.execute.steps.commands import with_own_validation
from autonomyd.host.command import run_command
from autonomyd.host.containers.engines import ContainerEngines
from autonomyd.host.controls import make_control
from autonomyd.host.controls.protocol import ServiceControl
from autonomyd.host.systemd import SystemdManager
from autonomyd.knowledge.backups import Backups
from autonomyd.model.fix import Fix
from autonomyd.model.plan import Autonomy
from autonomyd.model.status import PauseStatus
from autonomyd.settings.container import ContainerControl
from autonomyd.settings.control import SystemdControl
from autonomyd.settings.root import Settings
from autonomyd.settings.service import ServiceSettings

if TYPE_CHECKING:
    from autonomyd.host.containers.engine import ContainerEngine


def assemble(
    *,
    settings: Settings,
    clock: Clock,
    state_dir: Path,
    on_service: OnState,
    on_issue: Listener,
    watch_of: Callable[[str], ServiceWatch | None],
    wake: Callable[[], None],
    supervisor: Supervisor,
) -> Parts:
    """The parts, joined, not yet running."""
    records = Records(clock)
    site = Site(settings=settings, clock=clock, state_dir=state_dir, records=records)
    dependencies = _dependencies(site)
    containers = ContainerEngines(clock, dependencies, lambda: site.parts.settings.containers.socket)
    history = FixHistory(clock)
    history.on_trip = records.tripped
    trust = _trust(site)
    approvals = _approvals(site, trust)
    pause = _pause(site, wake)
    keeper = _keeper(site, containers, on_service)
    files = FileWork(Backups(state_dir / "backups"))
    shelf = Shelf(lambda: site.parts.healing.strategies)
    known_good = _known_good(site, keeper, files)
    monitoring = _monitoring(site, keeper, on_issue)
    aside = ContainerKeeper(keeper, lambda: containers.of().api)
    cleaner = Cleaner(lambda: site.parts.settings.cleanup, lambda: files_in_use(site.parts.settings), clock=clock)
    verifier = Verifier(
        clock=clock,
        monitoring=monitoring,
        keeper=keeper,
        watch_of=watch_of,
        verify_s=lambda: site.parts.settings.healing.verify_s,
        suspect=known_good.changed,
    )
    hands = DatabaseHands(keeper, dependencies)
    runner = _runner(
        site,
        keeper=keeper,
        files=files,
        verifier=verifier,
        handlers=handlers_of(keeper, cleaner, monitoring, site.call_custom, files, aside, hands),
    )
    insight = make_insight(
        clock=clock,
        settings=lambda: site.parts.settings,
        state_dir=state_dir,
        records=records,
        monitoring=monitoring,
        keeper=keeper,
        containers=containers,
        known_good=known_good,
    )
    situations = _situations(
        site,
        keeper=keeper,
        history=history,
        pause=pause,
        cleaner=cleaner,
        monitoring=monitoring,
        watch_of=watch_of,
        readers=(
            PortsReader(state_dir),
            PidFileReader(state_dir),
            CulpritReader(),
            ConfigReader(known_good, files.backups.objects),
            ReleaseReader(known_good),
            NumbersReader(shelf.numbers_of),
            LogsReader(monitoring.full_disks),
            SessionsReader(hands),
            SqliteReader(hands),
            ContainerReader(clock, containers, lambda: site.parts.settings),
            *insight.readers,
        ),
    )
    healing = SelfHealingSystem(
        monitoring=monitoring,
        situations=situations,
        runner=runner,
        record=records.decision,
        history=history,
        pause=pause,
        trust=trust,
        approvals=approvals,
        hold=keeper.held,
        interval_s=settings.intervals.healing_s,
    )
    healing.only_told = insight.foresight.only_told
    site.parts = Parts(
        settings=settings,
        records=records,
        dependencies=dependencies,
        containers=containers,
        container_keeper=aside,
        pause=pause,
        history=history,
        trust=trust,
        approvals=approvals,
        monitoring=monitoring,
        keeper=keeper,
        known_good=known_good,
        shelf=shelf,
        runner=runner,
        backups=_backups(site, files=files, runner=runner, keeper=keeper, history=history, known_good=known_good),
        healing=healing,
        goals=_goals(site, monitoring, insight.foresight.forecast_of),
        optimization=_optimization(site, monitoring, runner),
        alerting=make_alerting(
            clock=clock,
            settings=lambda: site.parts.settings,
            dependencies=dependencies,
            sources=Sources(
                monitoring=monitoring,
                healing=healing,
                records=records,
                supervisor=supervisor,
                graph=insight.graph.graph,
            ),
        ),
        insight=insight,
    )
    return site.parts


def _dependencies(site: Site) -> Dependencies:
    return Dependencies(
        site.clock,
        limits_of=lambda family: getattr(site.parts.settings.dependencies, family),
        on_change=site.records.dependency,
    )


def _trust(site: Site) -> Trust:
    def configured(name: str) -> Autonomy:
        found = site.service(name)
        return Autonomy.ACT if found is None else found.autonomy

    def time_to_verify(name: str) -> float:
        found = site.service(name)
        return (found.verify_s if found is not None else None) or site.parts.settings.healing.verify_s

    return Trust(
        clock=site.clock,
        half_life_s=site.settings.healing.half_life_days * DAY_S,
        quarantine_s=site.settings.healing.quarantine_s,
        record=site.records.lesson,
        record_shadow=site.records.shadow_case,
        tell=site.records.told_of,
        configured=configured,
        verify_s=time_to_verify,
    )


def _approvals(site: Site, trust: Trust) -> ApprovalDesk:
    return ApprovalDesk(
        clock=site.clock,
        next_id=lambda: site.records.next_id("approval"),
        expiry_s=lambda: site.parts.settings.healing.approval_expiry_s,
        note=site.records.approval,
        denied=lambda plan, number, actor: trust.denied(plan, number, actor=actor),
        tell=site.records.told_of,
    )


def _pause(site: Site, wake: Callable[[], None]) -> PauseSwitch:
    def paused(status: PauseStatus) -> None:
        site.records.pause(status)
        wake()

    return PauseSwitch(site.clock, on_change=paused)


def _keeper(site: Site, containers: ContainerEngines, on_service: OnState) -> ServiceKeeper:
    def engine_of(service: ServiceSettings) -> "ContainerEngine | None":
        control = service.control
        return containers.of(control.socket) if isinstance(control, ContainerControl) else None

    def control_of(name: str, service: ServiceSettings) -> ServiceControl:
        parts = site.parts
        if isinstance(service.control, SystemdControl) and parts.systemd is None:
            parts.systemd = SystemdManager()
        return make_control(
            name,
            service.control,
            state_dir=site.state_dir,
            clock=site.clock,
            instance=str(site.state_dir),
            systemd=parts.systemd,
            fallback=service.fallback,
            engine=engine_of(service),
        )

    return ServiceKeeper(
        clock=site.clock,
        make_control=control_of,
        on_state=on_service,
        on_intent=lambda service, intent: site.records.intent_outside(
            service.name, intent, manager=service.control.kind
        ),
    )


def _known_good(site: Site, keeper: ServiceKeeper, files: FileWork) -> KnownGood:
    return KnownGood(
        clock=site.clock,
        services=lambda: keeper.services,
        objects=files.backups.objects,
        remember=site.records.known_good,
    )


def _monitoring(site: Site, keeper: ServiceKeeper, on_issue: Listener) -> SelfMonitoringSystem:
    return SelfMonitoringSystem(
        site.settings,
        clock=site.clock,
        next_issue_id=lambda: site.records.next_id("issue"),
        on_issue=on_issue,
        service_states=lambda: {name: (each.state, each.intent) for name, each in keeper.services.items()},
    )


def _runner(site: Site, *, keeper: ServiceKeeper, files: FileWork, verifier: Verifier, handlers: Handlers) -> Runner:
    def fix_moved(fix: Fix) -> None:
        parts = site.parts
        parts.trust.fix_moved(fix)
        parts.healing.on_fix_state(fix)
        parts.records.fix_moved(fix)
        parts.alerting.fix_moved(fix)
        parts.container_keeper.fix_moved(fix)
        parts.insight.timeline.fix_moved(fix)
        parts.insight.logs.fix_moved(fix)

    return Runner(
        clock=site.clock,
        handlers=handlers,
        journal=site.records.journal,
        validate=with_own_validation(verifier.validate, run_command),
        next_id=lambda: site.records.next_id("fix"),
        on_state=fix_moved,
        runs=keeper.runs,
        files=files,
    )


def _situations(
    site: Site,
    *,
    keeper: ServiceKeeper,
    history: FixHistory,
    pause: PauseSwitch,
    cleaner: Cleaner,
    monitoring: SelfMonitoringSystem,
    watch_of: Callable[[str], ServiceWatch | None],
    readers: tuple[FactReader, ...],
) -> SituationReader:
    def exceeded_of(name: str) -> tuple[str, ...]:
        watch = watch_of(name)
        return () if watch is None else watch.exceeded()

    return SituationReader(
        clock=site.clock,
        settings=lambda: site.parts.settings,
        keeper=keeper,
        history=history,
        pause=pause,
        cleaner=cleaner,
        cpu_of=lambda subject: monitoring.metrics.last(subject, "cpu_percent"),
        exceeded_of=exceeded_of,
        readers=readers,
    )


def _backups(
    site: Site,
    *,
    files: FileWork,
    runner: Runner,
    keeper: ServiceKeeper,
    history: FixHistory,
    known_good: KnownGood,
) -> BackupKeeper:
    return BackupKeeper(
        clock=site.clock,
        files=files,
        records=site.records,
        runner=runner,
        keeper=keeper,
        history=history,
        days=lambda: site.parts.settings.retention.backup_days,
        referenced=known_good.referenced,
        on_rollback=lambda fix, actor: site.parts.trust.undone(fix, actor=actor),
    )


def _goals(site: Site, monitoring: SelfMonitoringSystem, forecast_of: ForecastOf) -> AutonomousGoalSetting:
    return AutonomousGoalSetting(
        monitoring=monitoring,
        next_id=lambda: site.records.next_id("goal"),
        on_goal=site.records.goal,
        daemon_cost=lambda: site.parts.optimization.status().cost_percent,
        forecast_of=forecast_of,
    )


def _optimization(site: Site, monitoring: SelfMonitoringSystem, runner: Runner) -> SelfOptimizationSystem:
    return SelfOptimizationSystem(
        monitoring=monitoring,
        apply=lambda plan: runner.run(plan, actor="autonomyd"),
        paused=lambda: site.parts.pause.facts().paused,
        next_id=lambda: site.records.next_id("candidate"),
        on_candidate=site.records.candidate,
    )


def files_in_use(settings: Settings) -> tuple[str, ...]:
    """The logs and configuration files that services name: no clean-up touches them."""
    return tuple(path for service in settings.services.values() for path in (*service.logs, *service.config_files))
