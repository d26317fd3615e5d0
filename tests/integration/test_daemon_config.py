"""The daemon and its configuration: a bad one is refused by file, line and key, and never replaces a good one."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from autonomyd.drill.services import ServiceSpec
from autonomyd.drill.tables import service_table
from tests.boxes.daemon import DaemonBox, until

CONFIG = 78
WEB = '[services.web]\ncontrol = { type = "process", command = ["sleep", "1000"] }\n'


@pytest.fixture
def box(tmp_path: Path) -> Iterator[DaemonBox]:
    made = DaemonBox(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (WEB + "chekcs = []\n", 6, ("services.web.chekcs", "checks")),
        (WEB + 'autonomy = "full"\n', 6, ("services.web.autonomy", "act")),
        (WEB + "start_grace_s = true\n", 6, ("services.web.start_grace_s", "a number")),
        (WEB + 'start_grace_s = "soon"\n', 6, ("services.web.start_grace_s", "number")),
        (WEB + "start_grace_s = -1\n", 6, ("services.web.start_grace_s", "at least 0")),
        (WEB + 'depends_on = ["cache"]\n', 6, ("services.web.depends_on[0]", "there is no service 'cache'")),
        (WEB + 'depends_on = ["web"]\n', 6, ("services.web.depends_on[0]", "depends on itself")),
        (
            WEB + 'depends_on = ["b"]\n' + WEB.replace("web", "b") + 'depends_on = ["web"]\n',
            9,
            ("services.b.depends_on[0]", "web -> b -> web"),
        ),
        ("[services.web\n", 4, ("expected",)),
        ('[services.web]\ncontrol = { type = "magic" }\n', 5, ("services.web.control.type", "process, systemd")),
        (WEB + 'checks = [ { type = "pong" } ]\n', 6, ("services.web.checks[0].type", "http")),
    ],
)
def test_a_bad_file_is_refused_with_file_line_and_key(
    box: DaemonBox, text: str, line: int, words: tuple[str, ...]
) -> None:
    box.configure(text, intervals="")
    refused = box.run()
    assert refused.returncode == CONFIG
    assert f"{box.config}:{line}:" in refused.stderr
    for word in words:
        assert word in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not box.state_dir.exists()


def test_several_faults_are_told_at_once_and_a_missing_file_is_said(box: DaemonBox) -> None:
    box.configure("[intervals]\nmonitoring_s = 0\nhealing = 3\n", intervals="")
    refused = box.run()
    assert refused.returncode == CONFIG
    assert refused.stderr.count(str(box.config)) == 2
    box.config.unlink()
    refused = box.run()
    assert refused.returncode == CONFIG
    assert str(box.config) in refused.stderr


def test_a_bad_reload_leaves_the_old_configuration_in_force_and_status_says_so(box: DaemonBox) -> None:
    box.make_services(ServiceSpec(name="web"))
    box.configure()
    box.start()
    pid = box.until_state("web")["pid"]
    good = box.config.read_text()

    box.config.write_text(good + "[intervals.more]\n")
    answer = box.post("/v1/reload")
    assert answer["ok"] is False
    assert f"{box.config}:" in answer["message"]
    assert "old configuration stays in force" in answer["message"]
    assert "intervals.more" in box.status()["daemon"]["config_error"]

    loaded_at = box.status()["daemon"]["config_loaded_at"]
    box.config.write_text(good.replace("healing_s = 1.0", "healing_s = 2.0"))
    box.signal(signal.SIGHUP)
    until(lambda: box.status()["daemon"]["config_error"] is None, "the good file clears the error")
    assert box.status()["loops"]["healing"]["interval_s"] == 2.0
    assert box.status()["daemon"]["config_loaded_at"] > loaded_at

    box.config.write_text(good + "nonsense =\n")
    box.signal(signal.SIGHUP)
    until(lambda: box.status()["daemon"]["config_error"], "the bad file is told")
    assert box.status()["loops"]["healing"]["interval_s"] == 2.0
    assert box.get("/v1/config")["error"]

    box.config.unlink()
    assert box.post("/v1/reload")["ok"] is False
    box.config.write_text(good)
    assert box.post("/v1/reload")["ok"] is True
    assert box.status()["daemon"]["config_error"] is None
    assert box.service("web")["pid"] == pid
    assert box.marked("web") == [pid]


def test_a_reload_starts_what_is_new_and_leaves_what_went_running(box: DaemonBox) -> None:
    old, new = box.make_services(ServiceSpec(name="old"), ServiceSpec(name="new")).values()
    box.config.write_text(box.head() + service_table(old))
    box.start()
    pid = box.until_state("old")["pid"]
    box.config.write_text(box.head() + service_table(new))
    assert box.post("/v1/reload")["ok"] is True
    box.until_state("new")
    assert list(box.get("/v1/services")) == ["new"]
    assert box.marked("old") == [pid]
    os.kill(pid, signal.SIGKILL)  # nobody's business any more
    box.config.write_text(box.head() + service_table(old) + service_table(new))
    new_pid = box.service("new")["pid"]
    assert box.post("/v1/reload")["ok"] is True
    box.until_state("old")
    assert box.service("new")["pid"] == new_pid


def test_without_a_file_it_watches_the_host(box: DaemonBox) -> None:
    box.start("--state-dir", str(box.state_dir), "--socket", str(box.socket))
    metrics = until(lambda: box.get("/v1/health")["metrics"], "the first metrics")
    assert {"memory.percent", "load.per_core"} <= set(metrics)
    assert any(name.startswith("disk:/") for name in metrics)
    status = box.status()
    assert status["services"] == {}
    assert set(status) >= {
        "health", "healing", "goals", "optimization", "loops", "services", "issues", "pause", "daemon",
    }  # fmt: skip
    assert {loop["state"] for loop in status["loops"].values()} == {"running"}
    assert box.end() == 0
    assert not box.socket.exists()
