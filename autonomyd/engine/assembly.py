"""Puts the parts of the system together: who gets whom. No behaviour of its own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from autonomyd.aio.clock import Clock
from autonomyd.analyze.issuebook import Listener
from autonomyd.engine.cleaning import Cleaner
from autonomyd.engine.goals import AutonomousGoalSetting
from autonomyd.engine.healing import SelfHealingSystem
from autonomyd.engine.history import FixHistory
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.optimization import SelfOptimizationSystem
from autonomyd.engine.pause import PauseSwitch
from autonomyd.engine.records import Records
from autonomyd.engine.services import OnState, ServiceKeeper
from autonomyd.engine.situation import SituationReader
from autonomyd.engine.verify import Verifier
from autonomyd.engine.watching import ServiceWatch
from autonomyd.execute.handlers import Handlers
from autonomyd.execute.runner import Runner
from autonomyd.execute.steps.custom import CallHandler
from autonomyd.execute.steps.files import RemoveFilesHandler
from autonomyd.execute.steps.probes import ProbeIntervalHandler
from autonomyd.execute.steps.services import RestartHandler, StartHandler, StopHandler
from autonomyd.host.controls import make_control
from autonomyd.host.controls.protocol import ServiceControl
from autonomyd.host.systemd import SystemdManager
from autonomyd.model.fix import Fix
from autonomyd.model.status import PauseStatus
from autonomyd.model.step import (
    CallStrategy,
    RemoveFiles,
    RestartService,
    SetProbeInterval,
    StartService,
    StepResult,
    StopService,
)
from autonomyd.settings.control import SystemdControl
from autonomyd.settings.root import Settings
from autonomyd.settings.service import ServiceSettings


@dataclass(slots=True, kw_only=True)
class Parts:
    """Everything that runs. `settings` is replaced at a reload; whoever needs it asks for it anew."""

    settings: Settings
    records: Records
    pause: PauseSwitch
    history: FixHistory
    monitoring: SelfMonitoringSystem
    keeper: ServiceKeeper
    runner: Runner
    healing: SelfHealingSystem
    goals: AutonomousGoalSetting
    optimization: SelfOptimizationSystem
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
) -> Parts:
    """The parts, joined, not yet running."""
    records = Records(clock)
    history = FixHistory(clock)

    def paused(status: PauseStatus) -> None:
        records.pause(status)
        wake()

    pause = PauseSwitch(clock, on_change=paused)

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
        )

    keeper = ServiceKeeper(
        clock=clock,
        make_control=control_of,
        on_state=on_service,
        on_intent=lambda service, intent: records.intent_outside(service.name, intent),
    )
    monitoring = SelfMonitoringSystem(
        settings,
        clock=clock,
        next_issue_id=lambda: records.next_id("issue"),
        on_issue=on_issue,
        service_states=lambda: {name: (each.state, each.intent) for name, each in keeper.services.items()},
    )
    cleaner = Cleaner(lambda: parts.settings.cleanup, lambda: files_in_use(parts.settings))
    verifier = Verifier(
        clock=clock,
        monitoring=monitoring,
        keeper=keeper,
        watch_of=watch_of,
        verify_s=lambda: parts.settings.healing.verify_s,
    )

    def exceeded_of(name: str) -> tuple[str, ...]:
        watch = watch_of(name)
        return () if watch is None else watch.exceeded()

    async def call_custom(name: str) -> StepResult:
        return await parts.healing.call_custom(name)

    def fix_moved(fix: Fix) -> None:
        parts.healing.on_fix_state(fix)
        records.fix_moved(fix)

    runner = Runner(
        clock=clock,
        handlers=handlers_of(keeper, cleaner, monitoring, call_custom),
        journal=records.journal,
        validate=verifier.validate,
        next_id=lambda: records.next_id("fix"),
        on_state=fix_moved,
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
    )
    healing = SelfHealingSystem(
        monitoring=monitoring,
        situations=situations,
        runner=runner,
        record=records.decision,
        history=history,
        pause=pause,
        hold=keeper.held,
        interval_s=settings.intervals.healing_s,
    )
    parts = Parts(
        settings=settings,
        records=records,
        pause=pause,
        history=history,
        monitoring=monitoring,
        keeper=keeper,
        runner=runner,
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
    )
    return parts


def handlers_of(
    keeper: ServiceKeeper,
    cleaner: Cleaner,
    monitoring: SelfMonitoringSystem,
    call: Callable[[str], Awaitable[StepResult]],
) -> Handlers:
    """Each kind of step with the one part that carries it out. A new kind is one line here."""
    return {
        StartService: StartHandler(keeper),
        StopService: StopHandler(keeper),
        RestartService: RestartHandler(keeper),
        RemoveFiles: RemoveFilesHandler(cleaner.remove),
        SetProbeInterval: ProbeIntervalHandler(monitoring.sampler.set_interval),
        CallStrategy: CallHandler(call),
    }


def files_in_use(settings: Settings) -> tuple[str, ...]:
    """The logs and configuration files that services name: no clean-up touches them."""
    return tuple(path for service in settings.services.values() for path in (*service.logs, *service.config_files))
