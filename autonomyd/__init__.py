"""autonomyd keeps one machine and its services healthy while nobody watches.

    from autonomyd import AutonomousOperationSystem

    system = AutonomousOperationSystem()
    await system.start()

Names are loaded when they are first used, so that the command line stays quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from autonomyd._version import __version__

if TYPE_CHECKING:
    from autonomyd.aio.clock import Clock as Clock
    from autonomyd.engine.goals import AutonomousGoalSetting as AutonomousGoalSetting
    from autonomyd.engine.healing import SelfHealingSystem as SelfHealingSystem
    from autonomyd.engine.monitoring import SelfMonitoringSystem as SelfMonitoringSystem
    from autonomyd.engine.optimization import SelfOptimizationSystem as SelfOptimizationSystem
    from autonomyd.engine.system import AutonomousOperationSystem as AutonomousOperationSystem
    from autonomyd.model.action import HealingAction as HealingAction
    from autonomyd.model.candidate import OptimizationCandidate as OptimizationCandidate
    from autonomyd.model.candidate import OptimizationType as OptimizationType
    from autonomyd.model.goal import Goal as Goal
    from autonomyd.model.goal import GoalPriority as GoalPriority
    from autonomyd.model.goal import GoalState as GoalState
    from autonomyd.model.goal import GoalType as GoalType
    from autonomyd.model.health import HealthStatus as HealthStatus
    from autonomyd.model.health import Severity as Severity
    from autonomyd.model.issue import Issue as Issue
    from autonomyd.model.issue import IssueState as IssueState
    from autonomyd.model.issue import IssueType as IssueType
    from autonomyd.model.status import SystemStatus as SystemStatus
    from autonomyd.settings.load import load_settings as load_settings
    from autonomyd.settings.load import make_settings as make_settings
    from autonomyd.settings.root import Settings as Settings

_HOMES = {
    "AutonomousGoalSetting": "engine.goals",
    "AutonomousOperationSystem": "engine.system",
    "Clock": "aio.clock",
    "Goal": "model.goal",
    "GoalPriority": "model.goal",
    "GoalState": "model.goal",
    "GoalType": "model.goal",
    "HealingAction": "model.action",
    "HealthStatus": "model.health",
    "Issue": "model.issue",
    "IssueState": "model.issue",
    "IssueType": "model.issue",
    "OptimizationCandidate": "model.candidate",
    "OptimizationType": "model.candidate",
    "SelfHealingSystem": "engine.healing",
    "SelfMonitoringSystem": "engine.monitoring",
    "SelfOptimizationSystem": "engine.optimization",
    "Settings": "settings.root",
    "Severity": "model.health",
    "SystemStatus": "model.status",
    "load_settings": "settings.load",
    "make_settings": "settings.load",
}

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'autonomyd' has no attribute {name!r}")
    return getattr(import_module(f"autonomyd.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
