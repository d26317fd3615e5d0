"""`[alerts]`: what is taken, what is refused, and that no secret is shown."""

import json

import pytest
from pydantic import ValidationError

from autonomyd.settings.alerts import AlertSettings
from autonomyd.settings.load import make_settings
from autonomyd.settings.problem import ConfigError
from autonomyd.settings.redact import public_settings


@pytest.mark.parametrize("hours", ["", "22:00-07:00", "00:00-23:59"])
def test_quiet_hours(hours: str) -> None:
    assert AlertSettings(quiet_hours=hours).quiet_hours == hours


@pytest.mark.parametrize(
    "wrong",
    [
        {"quiet_hours": "22-7"},
        {"quiet_hours": "24:00-07:00"},
        {"digest_at": "7:00"},
        {"targets": {"team": "not a url"}},
        {"targets": {"a b": "json://x"}},
        {"ping_url": "ftp://x"},
        {"reminders_s": [0.0]},
        {"max_per_minute": 0},
    ],
)
def test_what_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        AlertSettings(**wrong)  # type: ignore[arg-type]


SECRETS = {
    "alerts": {
        "targets": {"team": "slack://T0kenAAA/T0kenBBB"},
        "escalation": {"phone": "pover://U5er@T0kenCCC"},
        "ping_url": "https://dead-man.example.org/T0kenDDD",
    }
}


def test_targets_are_masked() -> None:
    shown = json.dumps(public_settings(make_settings(SECRETS, checks={})))
    assert "team" in shown
    for secret in ("T0ken", "U5er", "slack"):
        assert secret not in shown


def test_a_bad_target_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigError) as caught:
        make_settings({"alerts": {"targets": {"team": "T0kenAAA"}}}, checks={})
    assert "alerts.targets.team" in str(caught.value)
    assert "T0ken" not in str(caught.value)


def test_one_name_is_one_target() -> None:
    both = {"alerts": {"targets": {"team": "json://a"}, "escalation": {"team": "json://b"}}}
    with pytest.raises(ConfigError, match="is a target already"):
        make_settings(both, checks={})
