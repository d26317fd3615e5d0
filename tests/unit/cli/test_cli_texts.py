"""The greeting, the TOML of `config show`, the log lines, and the daemon's command line."""

import json
import logging
import os
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import structlog
from click.testing import CliRunner

from autonomyd.cli import daemon
from autonomyd.cli.greeting import greeting
from autonomyd.cli.logging import TextRenderer, configure_logging, import_structlog, is_journal
from autonomyd.cli.toml import toml_lines
from autonomyd.host.lock import AlreadyRunning
from autonomyd.settings.problem import ConfigError, ConfigProblem


def test_the_greeting(calm: dict[str, Any]) -> None:
    text = greeting(calm, command="/opt/bin/autonomyctl")
    assert "watches this machine and 2 services: web, cache." in text
    assert "/run/autonomyd/control.sock" in text
    assert "/etc/autonomyd.toml" in text
    assert text.count("/opt/bin/autonomyctl ") == 3


def test_the_greeting_without_configuration(calm: dict[str, Any]) -> None:
    calm["services"] = {}
    calm["daemon"] |= {"config_file": None, "socket": None}
    text = greeting(calm)
    assert "no services are configured yet" in text
    assert "built-in defaults" in text
    assert "autonomyctl metrics" in text


def test_the_configuration_is_shown_as_toml_that_reads_back() -> None:
    values = {
        "daemon": {"state_dir": None, "log_level": "info"},
        "services": {"web.1": {"checks": [{"type": "http", "url": 'http://x/"y"', "name": None}], "autonomy": "act"}},
        "cleanup": [],
        "thresholds": {"cpu_percent": {"enter": 80.0, "clear": 75.0}},
    }
    lines = list(toml_lines(values))
    assert "# state_dir is not set" in lines
    assert tomllib.loads("\n".join(lines)) == {
        "daemon": {"log_level": "info"},
        "services": {"web.1": {"checks": [{"type": "http", "url": 'http://x/"y"'}], "autonomy": "act"}},
        "cleanup": [],
        "thresholds": {"cpu_percent": {"enter": 80.0, "clear": 75.0}},
    }


@pytest.fixture
def logs_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_text_lines_are_safe_and_in_order() -> None:
    entry = {"event": "service_exited", "level": "warning", "timestamp": "12:30:01", "why": "a b\x1b[2J", "code": 1}
    line = TextRenderer(journal=False)(None, "", dict(entry))
    assert line == '12:30:01 warning service_exited why="a b" code=1'
    assert TextRenderer(journal=True)(None, "", dict(entry)) == '<4>service_exited why="a b" code=1'
    entry["exception"] = "Traceback\n  x\x1b[31m"
    assert TextRenderer(journal=False)(None, "", dict(entry)).splitlines()[1:] == ["Traceback", "  x"]


def test_json_lines_hold_both_kinds_of_loggers(logs_restored: None, capfd: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    structlog.get_logger().info("ready", pid=7)
    structlog.get_logger().debug("not shown")
    logging.getLogger("some.library").error("broken %s", "pipe")
    first, second = (json.loads(line) for line in capfd.readouterr().err.splitlines())
    assert (first["event"], first["pid"], first["level"]) == ("ready", 7, "info")
    assert second["event"] == "broken pipe"


def test_text_on_request(logs_restored: None, capfd: pytest.CaptureFixture[str]) -> None:
    configure_logging("warning", "console")
    structlog.get_logger().info("ready")
    structlog.get_logger().warning("store_degraded", pending=3)
    assert capfd.readouterr().err.endswith("warning store_degraded pending=3\n")


def test_the_journal_is_known_by_its_inode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "journal").open("w") as file:
        facts = os.fstat(file.fileno())
        assert not is_journal(file.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{facts.st_dev}:{facts.st_ino}")
        assert is_journal(file.fileno())
    assert not is_journal(-1)


def test_hiding_rich_leaves_it_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    import rich

    assert import_structlog() is structlog
    assert sys.modules["rich"] is rich
    monkeypatch.delitem(sys.modules, "rich")
    import_structlog()
    assert "rich" not in sys.modules


def test_overrides_are_the_tables_of_the_configuration() -> None:
    given = {"state_dir": "state", "socket": None, "log_level": "debug", "log_format": None}
    assert daemon.overrides_of(dict(given)) == {
        "daemon": {"state_dir": str(Path("state").absolute()), "log_level": "debug"}
    }
    assert daemon.overrides_of({"socket": None}) == {}


def test_the_daemons_command_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[Any] = []

    def run(config: Path | None, overrides: dict[str, Any]) -> int:
        seen.append((config, overrides))
        return 75

    monkeypatch.setattr(daemon, "run", run)
    config, socket = tmp_path / "a.toml", tmp_path / "s"
    result = CliRunner().invoke(daemon.cli, ["-c", str(config), "--socket", str(socket)])
    assert result.exit_code == 75
    assert seen == [(config, {"daemon": {"socket": str(socket)}})]


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (
            ConfigError([ConfigProblem(file="a.toml", line=3, key="x", message="unknown key")]),
            78,
            "a.toml:3: x: unknown key",
        ),
        (AlreadyRunning(812, Path("/s/lock")), 75, "pid 812 holds /s/lock"),
    ],
)
def test_why_the_daemon_does_not_start(
    error: Exception,
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    logs_restored: None,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def run_daemon(*_: Any, **__: Any) -> int:
        raise error

    fake = ModuleType("autonomyd.control.daemon")
    monkeypatch.setattr(fake, "run_daemon", run_daemon, raising=False)
    monkeypatch.setitem(sys.modules, "autonomyd.control.daemon", fake)
    assert daemon.run(None, {}) == code
    assert words in capfd.readouterr().err


def test_the_daemons_help_tells_its_exit_codes_and_subcommands() -> None:
    text = CliRunner().invoke(daemon.cli, ["--help"]).output
    assert "78  the configuration can not be used" in text
    assert "drill" in text
