"""Maintenance windows as they are written."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from autonomyd.plan.windows import open_window
from autonomyd.settings.crosscheck import contradictions
from autonomyd.settings.healing import HealingSettings
from autonomyd.settings.maintenance import WindowSettings


def test_a_window_is_judged_as_it_is_written():
    table = HealingSettings.model_validate(
        {"windows": [{"days": ["sat", "sun"], "begin": "22:00", "end": "04:30", "zone": "UTC", "services": ["web"]}]}
    )
    window = table.windows[0].window()
    assert (window.begin_s, window.end_s, window.days) == (22 * 3600, 4 * 3600 + 1800, {5, 6})
    saturday = datetime(2026, 11, 21, 23, 0, tzinfo=UTC).timestamp()
    assert open_window((window,), saturday) == (window, datetime(2026, 11, 22, 4, 30, tzinfo=UTC).timestamp())


def test_every_day_and_the_machine_s_own_zone_are_the_defaults():
    window = WindowSettings(begin="00:00", end="24:00").window()
    assert (window.begin_s, window.end_s, window.zone) == (0, 86400, None)
    assert window.days == set(range(7))


@pytest.mark.parametrize(
    "wrong",
    [{"begin": "7:00"}, {"begin": "25:00"}, {"begin": "24:01"}, {"end": "noon"}, {"days": ["monday"]}, {"days": []},
     {"zone": "Europe/Nowhere"}, {"zone": "../../etc/passwd"}, {"zone": ""}],
)  # fmt: skip
def test_what_is_wrong_is_refused(wrong):
    with pytest.raises(ValidationError):
        WindowSettings.model_validate({"begin": "02:00", "end": "04:00"} | wrong)


def test_a_window_for_a_service_that_is_not_there_is_refused():
    windows = [{"begin": "02:00", "end": "04:00", "services": ["web", "wbe"]}]
    (fault,) = contradictions({"healing": {"windows": windows}, "services": {"web": {}}})
    assert (fault.path, fault.word) == (("healing", "windows", 0, "services", 1), "wbe")
    assert len(list(contradictions({"healing": {"windows": windows}}))) == 2
    assert list(contradictions({"healing": {"windows": [7, {"services": 7}]}})) == []
