"""The tables' own rules: thresholds in their short and long form, and bounds that belong together."""

import pytest
from pydantic import ValidationError

from autonomyd.settings.cleanup import CleanupSettings
from autonomyd.settings.healing import HealingSettings
from autonomyd.settings.intervals import IntervalSettings
from autonomyd.settings.optimization import OptimizationSettings
from autonomyd.settings.thresholds import ThresholdSettings


def _thresholds(**tables: object) -> ThresholdSettings:
    return ThresholdSettings.model_validate(tables)


class TestThresholds:
    def test_the_defaults_of_the_mission(self) -> None:
        levels = ThresholdSettings()
        enters = (
            levels.cpu_percent.enter,
            levels.memory_percent.enter,
            levels.disk_percent.enter,
            levels.error_rate_percent.enter,
            levels.latency_ms.enter,
            levels.availability_percent.enter,
        )
        assert enters == (80, 85, 90, 5, 1000, 99)

    def test_a_number_is_the_level_and_the_rest_stays(self) -> None:
        level = _thresholds(cpu_percent=70).cpu_percent
        assert (level.enter, level.clear, level.for_s, level.consecutive) == (70, 65, 60, 3)

    def test_a_table_completes_itself(self) -> None:
        level = _thresholds(latency_ms={"enter": 500, "x_of_y": [4, 5]}).latency_ms
        assert (level.enter, level.clear, level.for_s, level.x_of_y) == (500, 450, 30, (4, 5))

    def test_the_default_level_keeps_its_clear_level(self) -> None:
        level = _thresholds(swap_percent={"for_s": 5}).swap_percent
        assert (level.enter, level.clear, level.for_s) == (80, 70, 5)

    @pytest.mark.parametrize(("enter", "clear"), [(3, 1.5), (50, 45), (100, 95)])
    def test_the_clear_level_stays_above_zero(self, enter: float, clear: float) -> None:
        assert _thresholds(disk_percent=enter).disk_percent.clear == clear

    def test_low_availability_is_bad(self) -> None:
        level = _thresholds(availability_percent=95).availability_percent
        assert (level.clear, level.low_is_bad) == (97.5, True)
        assert not ThresholdSettings().cpu_percent.low_is_bad

    def test_custom_metrics(self) -> None:
        levels = _thresholds(custom={"queue": 100, "free": {"enter": 2, "clear": 5}}).custom
        assert (levels["queue"].clear, levels["queue"].low_is_bad) == (90, False)
        assert levels["free"].low_is_bad

    def test_a_level_that_would_flap_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="flap"):
            _thresholds(custom={"queue": {"enter": 5, "clear": 5}})


def test_values_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        IntervalSettings().healing_s = 1.0  # type: ignore[misc]


def test_a_root_is_stored_plain() -> None:
    assert CleanupSettings(root="//srv///log/").root == "/srv/log"


def test_cleaning_must_end_below_where_it_begins() -> None:
    with pytest.raises(ValidationError, match="below enter_percent"):
        CleanupSettings(root="/srv/log", enter_percent=80, target_percent=80)


def test_optimization_without_room_must_be_switched_off() -> None:
    with pytest.raises(ValidationError, match="enabled = false"):
        OptimizationSettings(min_interval_factor=1, max_interval_factor=1)
    assert not OptimizationSettings(enabled=False, min_interval_factor=1, max_interval_factor=1).enabled


def test_numbers_of_the_mission() -> None:
    healing = HealingSettings()
    assert (healing.confidence, healing.verify_s, healing.acts_per_hour_host) == (85, 120, 30)
