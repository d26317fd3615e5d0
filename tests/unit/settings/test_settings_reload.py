"""A reload keeps the last good settings; the difference tells which services changed."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from autonomyd.settings import load as loading
from autonomyd.settings.diff import changed_services
from autonomyd.settings.load import make_settings
from autonomyd.settings.problem import ConfigError
from autonomyd.settings.reload import SettingsSource
from autonomyd.settings.service import CheckSettings

Kinds = Mapping[str, type[CheckSettings]]


def test_a_bad_file_changes_nothing(tmp_path: Path, kinds: Kinds) -> None:
    path = tmp_path / "a.toml"
    path.write_text("[intervals]\nhealing_s = 5\n")
    source = SettingsSource(path, checks=kinds, environ={})
    good = source.current
    path.write_text("[intervals]\nhealing_s = 0\n")
    result = source.reload()
    assert not result.ok
    assert result.settings is source.current is good
    assert result.error is source.error
    assert "a.toml:2: intervals.healing_s" in str(result.error)
    path.write_text("[intervals]\nhealing_s = 6\n")
    result = source.reload()
    assert result.ok
    assert source.error is None
    assert source.current.intervals.healing_s == 6


def test_a_file_that_goes_away_is_an_error_and_not_the_defaults(tmp_path: Path, kinds: Kinds) -> None:
    own = tmp_path / "autonomyd" / "autonomyd.toml"
    own.parent.mkdir()
    own.write_text("[intervals]\nhealing_s = 5\n")
    source = SettingsSource(None, checks=kinds, environ={"AUTONOMYD_CONFIG": str(own)})
    own.unlink()
    assert not source.reload().ok
    assert source.current.intervals.healing_s == 5


def test_a_file_that_appears_is_taken(tmp_path: Path, kinds: Kinds, monkeypatch: pytest.MonkeyPatch) -> None:
    system = tmp_path / "etc.toml"
    monkeypatch.setattr(loading, "SYSTEM_CONFIG", system)
    source = SettingsSource(None, checks=kinds, environ={})
    assert source.path is None
    system.write_text("[intervals]\nhealing_s = 5\n")
    assert source.reload().settings.intervals.healing_s == 5
    assert source.path == system


def test_a_bad_file_at_the_start_is_refused(tmp_path: Path, kinds: Kinds) -> None:
    with pytest.raises(ConfigError):
        SettingsSource(tmp_path / "none.toml", checks=kinds, environ={})


def test_what_changed_for_the_services(kinds: Kinds) -> None:
    def unit(name: str, **more: object) -> dict[str, object]:
        return {"control": {"type": "systemd", "unit": f"{name}.service"}, **more}

    def checked(port: int) -> dict[str, object]:
        return unit("c", checks=[{"type": "tcp", "port": port}])

    old = make_settings({"services": {"a": unit("a"), "b": unit("b"), "c": checked(1), "d": unit("d")}}, checks=kinds)
    new = make_settings({"services": {"e": unit("e"), "b": unit("bb"), "c": checked(2), "d": unit("d")}}, checks=kinds)
    changes = changed_services(old, new)
    assert (changes.added, changes.removed, changes.changed) == (("e",), ("a",), ("b", "c"))
