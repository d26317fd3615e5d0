"""Everything that runs, in one value; and what its parts are built with."""

from dataclasses import dataclass, field
from pathlib import Path

from autonomyd.aio.clock import Clock
from autonomyd.aio.dependency import Dependencies
from autonomyd.engine.alerting import Alerting
from autonomyd.engine.approvals import ApprovalDesk
from autonomyd.engine.backups import BackupKeeper
from autonomyd.engine.containers import ContainerKeeper
from autonomyd.engine.goals import AutonomousGoalSetting
from autonomyd.engine.healing import SelfHealingSystem
from autonomyd.engine.history import FixHistory
from autonomyd.engine.insight.assembly import Insight
from autonomyd.engine.known_good import KnownGood
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.optimization import SelfOptimizationSystem
from autonomyd.engine.pause import PauseSwitch
from autonomyd.engine.playbooks import Shelf
from autonomyd.engine.records import Records
from autonomyd.engine.services import ServiceKeeper
from autonomyd.engine.trust import Trust
from autonomyd.execute.runner import Runner
from autonomyd.host.containers.engines import ContainerEngines
from autonomyd.host.systemd import SystemdManager
from autonomyd.model.step import StepResult
from autonomyd.settings.root import Settings
from autonomyd.settings.service import ServiceSettings


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


@dataclass(slots=True, kw_only=True)
class Site:
    """What the builders below are given, and the parts once they all stand: whoever needs one that is built after it
    asks for it when it is needed."""

    settings: Settings
    clock: Clock
    state_dir: Path
    records: Records
    parts: Parts = field(init=False)

    def service(self, name: str) -> ServiceSettings | None:
        """The settings of a service as they are now."""
        return self.parts.settings.services.get(name)

    async def call_custom(self, name: str) -> StepResult:
        """Let a strategy that was registered for issues of type `name` act."""
        return await self.parts.healing.call_custom(name)
