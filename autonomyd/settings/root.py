"""`Settings`: all tables in one value."""

from typing import Annotated

from pydantic import Field, StringConstraints
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from autonomyd.settings.alerts import AlertSettings
from autonomyd.settings.cleanup import CleanupSettings
from autonomyd.settings.container import ContainersSettings
from autonomyd.settings.daemon import DaemonSettings
from autonomyd.settings.dependencies import DependenciesSettings
from autonomyd.settings.detectors import DetectorSettings
from autonomyd.settings.environment import EnvironmentSource
from autonomyd.settings.forecast import ForecastSettings
from autonomyd.settings.goals import GoalSettings
from autonomyd.settings.healing import HealingSettings
from autonomyd.settings.intervals import IntervalSettings
from autonomyd.settings.logs import LogsSettings
from autonomyd.settings.monitoring import MonitoringSettings
from autonomyd.settings.optimization import OptimizationSettings
from autonomyd.settings.retention import RetentionSettings
from autonomyd.settings.risk import RiskSettings
from autonomyd.settings.service import ServiceSettings
from autonomyd.settings.thresholds import ThresholdSettings

ServiceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]


class Settings(BaseSettings):
    """The configuration in force. `Settings()` is the environment over the defaults; `load_settings` adds the file."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, defer_build=True, allow_inf_nan=False)

    daemon: DaemonSettings = Field(default_factory=DaemonSettings)
    intervals: IntervalSettings = Field(default_factory=IntervalSettings)
    thresholds: ThresholdSettings = Field(default_factory=ThresholdSettings)
    detectors: DetectorSettings = Field(default_factory=DetectorSettings)
    monitoring: MonitoringSettings = Field(default_factory=MonitoringSettings)
    logs: LogsSettings = Field(default_factory=LogsSettings)
    healing: HealingSettings = Field(default_factory=HealingSettings)
    cleanup: tuple[CleanupSettings, ...] = ()
    forecast: ForecastSettings = Field(default_factory=ForecastSettings)
    goals: GoalSettings = Field(default_factory=GoalSettings)
    optimization: OptimizationSettings = Field(default_factory=OptimizationSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    risk: RiskSettings = Field(default_factory=RiskSettings)
    containers: ContainersSettings = Field(default_factory=ContainersSettings)
    dependencies: DependenciesSettings = Field(default_factory=DependenciesSettings)
    alerts: AlertSettings = Field(default_factory=AlertSettings)
    services: dict[ServiceName, ServiceSettings] = Field(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment. Command line and file are merged into the arguments by load.py."""
        return (init_settings, EnvironmentSource(settings_cls))
