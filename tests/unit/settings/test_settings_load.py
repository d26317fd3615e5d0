"""Where settings come from, and which of them counts."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from autonomyd.model.plan import Autonomy
from autonomyd.settings import load as loading
from autonomyd.settings.control import ProcessControl
from autonomyd.settings.load import find_config, load_settings, make_settings
from autonomyd.settings.root import Settings
from autonomyd.settings.service import CheckSettings

WRITTEN = """
[daemon]
state_dir = "/var/lib/autonomyd"
socket = "/run/autonomyd/control.sock"
[intervals]
monitoring_s = 10.0
healing_s = 30.0
goals_s = 60.0
optimization_s = 300.0
[services.web]
control = { type = "process", command = ["python3", "server.py"], cwd = "/srv/web", env = { PORT = "8000" }, stdout = "/var/log/web.log", pidfile = "/srv/web/run/web.pid", stop_timeout_s = 10.0 }
autonomy = "act"
depends_on = ["cache"]
logs = ["/var/log/web.log"]
config_files = ["/srv/web/app.toml"]
start_grace_s = 8.0
checks = [
  { type = "http", url = "http://127.0.0.1:8000/health", status = 200, timeout_s = 2.0, latency_ms = 500, every_s = 5.0, failures = 2 },
  { type = "tcp", host = "127.0.0.1", port = 8000 },
  { type = "heartbeat", file = "/srv/web/run/heartbeat", max_age_s = 30 },
  { type = "command", argv = ["/usr/lib/nagios/plugins/check_x"], timeout_s = 10.0 },
]
limits = { rss_mb = 512, cpu_percent = 90, fds = 900, children = 50, for_s = 30.0 }
restart = { max = 5, within_s = 300.0 }
[services.cache]
control = { type = "systemd", unit = "redis-server.service" }
"""  # noqa: E501

Load = Callable[..., Settings]


def test_a_whole_configuration(load: Load) -> None:
    settings = load(WRITTEN)
    web = settings.services["web"]
    assert isinstance(web.control, ProcessControl)
    assert web.control.env == {"PORT": "8000"}
    assert web.autonomy is Autonomy.ACT
    assert [check.type for check in web.checks] == ["http", "tcp", "heartbeat", "command"]
    assert web.checks[0].model_dump()["latency_ms"] == 500
    assert web.checks[1].timeout_s == 5.0
    assert web.limits.rss_mb == 512
    assert settings.model_dump(mode="json")["services"]["web"]["checks"][1]["port"] == 8000


def test_no_file_means_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "SYSTEM_CONFIG", tmp_path / "none.toml")
    assert load_settings(None, checks={}, environ={"XDG_CONFIG_HOME": str(tmp_path)}) == make_settings({})


def test_the_command_line_goes_before_the_environment_before_the_file(load: Load) -> None:
    text = "[intervals]\nmonitoring_s = 1\nhealing_s = 1\ngoals_s = 1\n"
    environ = {"AUTONOMYD_INTERVALS__HEALING_S": "2", "AUTONOMYD_INTERVALS__GOALS_S": "2"}
    settings = load(text, environ=environ, overrides={"intervals": {"goals_s": 3.0}})
    intervals = settings.intervals
    assert (intervals.monitoring_s, intervals.healing_s, intervals.goals_s, intervals.optimization_s) == (1, 2, 3, 300)


def test_made_settings_are_what_a_file_would_be(load: Load, kinds: Mapping[str, type[CheckSettings]]) -> None:
    tables = {"services": {"db": {"control": {"type": "systemd", "unit": "db.service"}, "start_grace_s": 1}}}
    text = '[services.db]\ncontrol = { type = "systemd", unit = "db.service" }\nstart_grace_s = 1\n'
    assert make_settings(tables, checks=kinds) == load(text)


def test_a_byte_order_mark_is_no_mistake(load: Load) -> None:
    assert load("\ufeff[intervals]\nhealing_s = 7\n").intervals.healing_s == 7


class TestFindConfig:
    def test_a_named_file_is_taken_whether_it_exists_or_not(self) -> None:
        assert find_config({"AUTONOMYD_CONFIG": "/nowhere/x.toml"}) == Path("/nowhere/x.toml")

    @pytest.mark.parametrize(("uid", "winner"), [(0, "system"), (1000, "own")])
    def test_root_looks_in_etc_first_and_others_at_home(
        self, uid: int, winner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files = {"system": tmp_path / "etc.toml", "own": tmp_path / "autonomyd" / "autonomyd.toml"}
        files["own"].parent.mkdir()
        for file in files.values():
            file.touch()
        monkeypatch.setattr(loading, "SYSTEM_CONFIG", files["system"])
        monkeypatch.setattr(loading.os, "geteuid", lambda: uid)
        assert find_config({"XDG_CONFIG_HOME": str(tmp_path)}) == files[winner]

    def test_the_home_folder_stands_in_for_xdg(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(loading, "SYSTEM_CONFIG", tmp_path / "none.toml")
        own = tmp_path / ".config" / "autonomyd" / "autonomyd.toml"
        own.parent.mkdir(parents=True)
        own.touch()
        assert find_config({"HOME": str(tmp_path)}) == own
        assert find_config({}) is None


class TestEnvironment:
    def test_the_library_reads_it_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AUTONOMYD_HEALING__PAUSED", "true")
        monkeypatch.setenv("AUTONOMYD_SOCKET", "/tmp/other.sock")
        settings = Settings()
        assert settings.healing.paused is True
        assert settings.daemon.socket is None

    def test_values_of_every_type(self, load: Load) -> None:
        environ = {
            "AUTONOMYD_DAEMON__LOG_LEVEL": "debug",
            "AUTONOMYD_MONITORING__HISTORY": "500",
            "AUTONOMYD_MONITORING__IGNORE_DISKS": '["/a", "/b"]',
            "AUTONOMYD_THRESHOLDS__CPU_PERCENT": "70",
            "AUTONOMYD_HEALING__COOLDOWN__CAP_S": "60",
            "AUTONOMYD_CLEANUP": '[{"root": "/srv/log"}]',
            "AUTONOMYD_SERVICES__MY_APP__AUTONOMY": "ask",
            "AUTONOMYD_SERVICES__MY_APP__CONTROL__ENV__Port": "80",
            "AUTONOMYD_RETENTION__DAYS": "",
        }
        text = '[services."my-app"]\ncontrol = { type = "process", command = ["x"] }\n'
        settings = load(text, environ=environ)
        assert settings.daemon.log_level == "debug"
        assert settings.monitoring.history == 500
        assert settings.monitoring.ignore_disks == ("/a", "/b")
        assert settings.thresholds.cpu_percent.enter == 70
        assert settings.healing.cooldown.cap_s == 60
        assert settings.cleanup[0].root == "/srv/log"
        assert settings.services["my-app"].autonomy is Autonomy.ASK
        assert settings.services["my-app"].control.env == {"Port": "80"}  # type: ignore[union-attr]
        assert settings.retention.days == 30.0

    def test_other_variables_are_left_alone(self, load: Load) -> None:
        assert load("", environ={"AUTONOMYD_SERVICE": "1/web", "AUTONOMYD_CONFIG": "x", "XAUTONOMYD_A__B": "1"})


def test_a_good_configuration_needs_no_words() -> None:
    """The parts that explain mistakes, and write the reference, stay unloaded: they cost memory and start-up time."""
    code = (
        "import sys; from autonomyd.settings.load import make_settings; make_settings({})\n"
        "print(*sorted(name.rpartition('.')[2] for name in sys.modules if name.startswith('autonomyd.settings.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert not {"verdict", "wording", "suggest", "locate", "describe", "reference"} & set(done.stdout.split())
