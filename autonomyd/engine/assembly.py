"""Puts the parts of the system together: who gets whom. No behaviour of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autonomyd.aio.clock import Clock
from autonomyd.aio.dependency import Dependencies
from autonomyd.aio.supervisor import Supervisor
from autonomyd.analyze.issuebook import Listener
from autonomyd.engine.alerting import Alerting, make_alerting
from autonomyd.engine.approvals import ApprovalDesk
from autonomyd.engine.backups import BackupKeeper
from autonomyd.engine.cleaning import Cleaner
from autonomyd.engine.containers import ContainerKeeper
from autonomyd.engine.databases import DatabaseHands
from autonomyd.engine.facts.config import ConfigReader
from autonomyd.engine.facts.container import ContainerReader
from autonomyd.engine.facts.culprit import CulpritReader
from autonomyd.engine.facts.log_errors import LogErrorsReader
from autonomyd.engine.facts.logs import LogsReader
from autonomyd.engine.facts.numbers import NumbersReader
from autonomyd.engine.facts.pid_file import PidFileReader
from autonomyd.engine.facts.ports import PortsReader
from autonomyd.engine.facts.release import ReleaseReader
from autonomyd.engine.facts.sessions import SessionsReader
from autonomyd.engine.facts.sqlite import SqliteReader
from autonomyd.engine.goals import AutonomousGoalSetting
from autonomyd.engine.hands import handlers_of
from autonomyd.engine.healing import SelfHealingSystem
from autonomyd.engine.history import FixHistory
from autonomyd.engine.incidents import Sources
from autonomyd.engine.insight import Insight, make_insight
from autonomyd.engine.known_good import KnownGood
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.optimization import SelfOptimizationSystem
from autonomyd.engine.pause import PauseSwitch
from autonomyd.engine.playbooks import Shelf
from autonomyd.engine.records import Records
from autonomyd.engine.services import OnState, ServiceKeeper
from autonomyd.engine.situation import SituationReader
from autonomyd.engine.trust import DAY_S, Trust
from autonomyd.engine.verify import Verifier
from autonomyd.engine.watching import ServiceWatch
from autonomyd.execute.filework import FileWork
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
from autonomyd.model.step import (
    StepResult,
)
from autonomyd.monitor.probe import Probe, QuickProbe
from autonomyd.settings.container import ContainerControl
from autonomyd.settings.control import SystemdControl
from autonomyd.settings.root import Settings
from autonomyd.settings.service import ServiceSettings

if TYPE_CHECKING:
    from autonomyd.host.containers.engine import ContainerEngine


@dataclass(slots=True, kw_only=True)
class Parts:
    """Everything that runs. `settings` is replaced at a reload; whoever needs it asks for it anew."""

    settings: Settings
    records: Records
    dependencies: Dependencies
    pause: PauseSwitch
    history: FixHistory
    trust: Trust
    approvals: ApprovalDesk
    monitoring: SelfMonitoringSystem
    keeper: ServiceKeeper
    known_good: KnownGood
    shelf: Shelf
    runner: Runner
    backups: BackupKeeper
    healing: SelfHealingSystem
    goals: AutonomousGoalSetting
    optimization: SelfOptimizationSystem
    alerting: Alerting
    insight: Insight
    containers: ContainerEngines
    container_keeper: ContainerKeeper
    systemd: SystemdManager | None = None


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
    dependencies = Dependencies(
        clock,
        limits_of=lambda family: getattr(parts.settings.dependencies, family),
        on_change=records.dependency,
    )
    containers = ContainerEngines(clock, dependencies, lambda: parts.settings.containers.socket)
    history = FixHistory(clock)
    history.on_trip = records.tripped

    def configured(service: str) -> Autonomy:
        found = parts.settings.services.get(service)
        return Autonomy.ACT if found is None else found.autonomy

    def time_to_verify(service: str) -> float:
        found = parts.settings.services.get(service)
        return (found.verify_s if found is not None else None) or parts.settings.healing.verify_s

    trust = Trust(
        clock=clock,
        half_life_s=settings.healing.half_life_days * DAY_S,
        quarantine_s=settings.healing.quarantine_s,
        record=records.lesson,
        record_shadow=records.shadow_case,
        tell=records.told_of,
        configured=configured,
        verify_s=time_to_verify,
    )
    approvals = ApprovalDesk(
        clock=clock,
        next_id=lambda: records.next_id("approval"),
        expiry_s=lambda: parts.settings.healing.approval_expiry_s,
        note=records.approval,
        denied=lambda plan, number, actor: trust.denied(plan, number, actor=actor),
        tell=records.told_of,
    )

    def paused(status: PauseStatus) -> None:
        records.pause(status)
        wake()

    pause = PauseSwitch(clock, on_change=paused)

    def engine_of(service: ServiceSettings) -> "ContainerEngine | None":
        control = service.control
        return containers.of(control.socket) if isinstance(control, ContainerControl) else None

    def control_of(name: str, service: ServiceSettings) -> ServiceControl:
        if isinstance(service.control, SystemdControl) and parts.systemd is None:
            parts.systemd = SystemdManager()
        return make_control(
            name,
            service.control,
            state_dir=state_dir,
            clock=clock,
            instance=str(state_dir),
            systemd=parts.systemd,
            fallback=service.fallback,
            engine=engine_of(service),
        )

    keeper = ServiceKeeper(
        clock=clock,
        make_control=control_of,
        on_state=on_service,
        on_intent=lambda service, intent: records.intent_outside(service.name, intent, manager=service.control.kind),
    )
    files = FileWork(Backups(state_dir / "backups"))
    objects = files.backups.objects
    shelf = Shelf(lambda: parts.healing.strategies)
    known_good = KnownGood(clock=clock, services=lambda: keeper.services, objects=objects, remember=records.known_good)
    monitoring = SelfMonitoringSystem(
        settings,
        clock=clock,
        next_issue_id=lambda: records.next_id("issue"),
        on_issue=on_issue,
        service_states=lambda: {name: (each.state, each.intent) for name, each in keeper.services.items()},
    )
    aside = ContainerKeeper(keeper, lambda: containers.of().api)
    cleaner = Cleaner(lambda: parts.settings.cleanup, lambda: files_in_use(parts.settings), clock=clock)
    verifier = Verifier(
        clock=clock,
        monitoring=monitoring,
        keeper=keeper,
        watch_of=watch_of,
        verify_s=lambda: parts.settings.healing.verify_s,
        suspect=known_good.changed,
    )

    database_hands = DatabaseHands(keeper, dependencies)

    def exceeded_of(name: str) -> tuple[str, ...]:
        watch = watch_of(name)
        return () if watch is None else watch.exceeded()

    def probe_of(name: str) -> Probe | QuickProbe | None:
        entry = monitoring.sampler.probes.get(name)
        return None if entry is None else entry.probe

    async def call_custom(name: str) -> StepResult:
        return await parts.healing.call_custom(name)

    def fix_moved(fix: Fix) -> None:
        trust.fix_moved(fix)
        parts.healing.on_fix_state(fix)
        records.fix_moved(fix)
        parts.alerting.fix_moved(fix)
        aside.fix_moved(fix)

    runner = Runner(
        clock=clock,
        handlers=handlers_of(keeper, cleaner, monitoring, call_custom, files, aside, database_hands),
        journal=records.journal,
        validate=with_own_validation(verifier.validate, run_command),
        next_id=lambda: records.next_id("fix"),
        on_state=fix_moved,
        runs=keeper.runs,
        files=files,
    )
    situations = SituationReader(
        clock=clock,
        settings=lambda: parts.settings,
        keeper=keeper,
        history=history,
        pause=pause,
        cleaner=cleaner,
        cpu_of=lambda subject: monitoring.metrics.last(subject, "cpu_percent"),
        exceeded_of=exceeded_of,
        readers=(
            PortsReader(state_dir),
            PidFileReader(state_dir),
            CulpritReader(),
            ConfigReader(known_good, objects),
            ReleaseReader(known_good),
            NumbersReader(shelf.numbers_of),
            LogsReader(monitoring.full_disks),
            LogErrorsReader(probe_of),
            SessionsReader(database_hands),
            SqliteReader(database_hands),
            ContainerReader(clock, containers, lambda: parts.settings),
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
    parts = Parts(
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
        backups=BackupKeeper(
            clock=clock,
            files=files,
            records=records,
            runner=runner,
            keeper=keeper,
            history=history,
            days=lambda: parts.settings.retention.backup_days,
            referenced=known_good.referenced,
            on_rollback=lambda fix, actor: trust.undone(fix, actor=actor),
        ),
        healing=healing,
        goals=AutonomousGoalSetting(
            monitoring=monitoring,
            next_id=lambda: records.next_id("goal"),
            on_goal=records.goal,
            daemon_cost=lambda: parts.optimization.status().cost_percent,
        ),
        optimization=SelfOptimizationSystem(
            monitoring=monitoring,
            apply=lambda plan: runner.run(plan, actor="autonomyd"),
            paused=lambda: pause.facts().paused,
            next_id=lambda: records.next_id("candidate"),
            on_candidate=records.candidate,
        ),
        alerting=make_alerting(
            clock=clock,
            settings=lambda: parts.settings,
            dependencies=dependencies,
            sources=Sources(monitoring=monitoring, healing=healing, records=records, supervisor=supervisor),
        ),
        insight=make_insight(
            clock=clock,
            settings=lambda: parts.settings,
            state_dir=state_dir,
            monitoring=monitoring,
            keeper=keeper,
            records=records,
        ),
    )
    return parts


def files_in_use(settings: Settings) -> tuple[str, ...]:
    """The logs and configuration files that services name: no clean-up touches them."""
    return tuple(path for service in settings.services.values() for path in (*service.logs, *service.config_files))
