"""The daemon as the packaged unit, on a booted systemd: it starts, tells, heals, and its services outlive it."""

import sys
from collections.abc import Iterator

import pytest

from tests.boxes.systemd import CONFIG_FILE, SOCKET, SOURCE_INSIDE, UNIT, DaemonMachine, project_box

pytestmark = pytest.mark.real

WORKER = ("/bin/sleep", "87654")
CONFIG = """
[intervals]
monitoring_s = 1.0
healing_s = 1.0

[services.worker]
control = { type = "process", command = ["/bin/sleep", "87654"] }

[services.demo]
control = { type = "systemd", unit = "demo.service" }
"""
DEMO = """
[Service]
ExecStart=/bin/sleep infinity
Restart=no
"""
# The shipped 30 s would only make the tests slow.
QUICK_WATCHDOG = """
[Service]
WatchdogSec=2
"""
# The same daemon with one loop that hangs at its third run, while everything else goes on and answers.
STUCK_LOOP = """#!{python}
import asyncio, sys
sys.path.insert(0, "{source}")
from autonomyd.cli.daemon import main
from autonomyd.engine import system
from autonomyd.engine.healing import SelfHealingSystem
system.STUCK_AFTER_S = 1.0
tick, runs = SelfHealingSystem.tick, iter(range(3))
async def stuck_tick(self):
    if next(runs, None) is None:
        await asyncio.Event().wait()
    return await tick(self)
SelfHealingSystem.tick = stuck_tick
sys.argv = ["autonomyd"]
sys.exit(main())
"""
USE_STUCK_LOOP = """
[Service]
ExecStart=
ExecStart=/usr/local/bin/autonomyd-stuck
"""


class Machine(DaemonMachine):
    """The box with the services above."""

    def workers(self) -> list[int]:
        """The pids of every process that runs the worker's command: one, or it was orphaned or doubled."""
        found = self.try_run("pgrep", "--full", "--exact", " ".join(WORKER)).stdout
        return [int(pid) for pid in found.split()]

    def wait_until_up(self) -> int:
        """Wait for the daemon and both services; the worker's pid as the daemon tells it."""

        def up() -> bool:
            if self.show(UNIT, "ActiveState") != "active" or not self.answers():
                return False
            services = self.status()["services"]
            return all(services[name]["state"] == "up" for name in ("worker", "demo"))

        self.wait_for("the daemon and both services are up", up)
        return int(self.status()["services"]["worker"]["pid"])


@pytest.fixture(scope="module")
def booted() -> Iterator[Machine]:
    with project_box("systemd", Machine) as machine:
        machine.write("/etc/systemd/system/demo.service", DEMO)
        machine.write(f"/run/systemd/system/{UNIT}.d/90-quick.conf", QUICK_WATCHDOG)
        machine.run("systemctl", "daemon-reload")
        yield machine


@pytest.fixture
def machine(booted: Machine) -> Machine:
    """The daemon active with the configuration above, whatever the test before did to it."""
    booted.write(CONFIG_FILE, CONFIG)
    booted.run("systemctl", "start", "demo.service")
    booted.try_run("systemctl", "reset-failed", UNIT)
    if booted.show(UNIT, "ActiveState") == "active":
        booted.run("systemctl", "reload", UNIT)
    else:
        booted.run("systemctl", "start", UNIT)
    booted.wait_until_up()
    return booted


def test_start_returns_when_the_daemon_said_that_it_is_ready(machine: Machine) -> None:
    machine.run("systemctl", "restart", UNIT)
    assert machine.run("systemctl", "is-active", UNIT).strip() == "active"
    assert machine.show(UNIT, "Type") == "notify"
    assert machine.answers(), "ready means that it answers"


def test_status_answers_as_json(machine: Machine) -> None:
    status = machine.status()
    assert status["daemon"]["pid"] > 0
    assert status["daemon"]["config_file"] == CONFIG_FILE
    assert {"health", "healing", "goals", "optimization", "loops", "services", "issues", "pause"} <= set(status)
    assert {loop["state"] for loop in status["loops"].values()} == {"running"}


def test_systemctl_status_shows_what_the_daemon_says_of_itself(machine: Machine) -> None:
    machine.wait_for("a STATUS text", lambda: machine.show(UNIT, "StatusText"))
    assert f'Status: "{machine.show(UNIT, "StatusText")[:20]}' in machine.run("systemctl", "status", UNIT)


def test_only_the_group_may_use_the_socket(machine: Machine) -> None:
    def may_write(group: str) -> bool:
        drop = ("setpriv", "--reuid=nobody", f"--regid={group}", "--clear-groups")
        return machine.try_run(*drop, "test", "-w", SOCKET).returncode == 0

    assert may_write("autonomyd")
    assert not may_write("nogroup")


def test_services_outlive_a_killed_daemon_and_are_adopted_again(machine: Machine) -> None:
    worker, daemon = machine.wait_until_up(), machine.main_pid()
    machine.run("kill", "-KILL", str(daemon))
    machine.wait_for("another daemon", lambda: machine.main_pid() not in (0, daemon))
    assert machine.wait_until_up() == worker
    assert machine.workers() == [worker]


def test_services_outlive_a_stopped_daemon_and_are_adopted_again(machine: Machine) -> None:
    worker = machine.wait_until_up()
    machine.run("systemctl", "stop", UNIT)
    assert machine.show(UNIT, "Result") == "success"
    assert machine.workers() == [worker]
    machine.run("systemctl", "start", UNIT)
    assert machine.wait_until_up() == worker
    assert machine.workers() == [worker]


def test_a_process_service_gets_no_privilege_of_the_daemon(machine: Machine) -> None:
    """Its OOM score would shield it from the kernel, its group would open the control socket to it."""
    process = f"/proc/{machine.wait_until_up()}"
    assert machine.run("cat", f"{process}/oom_score_adj").strip() == "0"
    assert machine.run("awk", "/^Gid:/ {print $3}", f"{process}/status").strip() == "0"
    assert "NOTIFY_SOCKET" not in machine.run("cat", f"{process}/environ")


def test_starts_a_killed_process_service_again(machine: Machine) -> None:
    worker = machine.wait_until_up()
    machine.run("kill", "-KILL", str(worker))
    machine.wait_for("another worker", lambda: machine.workers() not in ([], [worker]))
    assert machine.wait_until_up() != worker
    assert len(machine.workers()) == 1


def test_starts_a_killed_unit_again(machine: Machine) -> None:
    before = machine.main_pid("demo.service")
    machine.run("kill", "-KILL", str(before))
    machine.wait_for("another process of the unit", lambda: machine.main_pid("demo.service") not in (0, before))
    machine.wait_for("a healed fix in the books", lambda: machine.status()["healing"]["outcomes"].get("healed", 0) >= 1)


def test_a_unit_stopped_through_systemd_stays_down_until_it_is_started_so(machine: Machine) -> None:
    def demo() -> tuple[str, str]:
        service = machine.status()["services"]["demo"]
        return service["state"], service["intent"]

    machine.wait_until_up()
    machine.run("systemctl", "stop", "demo.service")
    machine.wait_for("the stop is taken for intent", lambda: demo() == ("stopped", "stopped"))
    machine.run("systemctl", "restart", UNIT)
    machine.wait_for("the daemon answers again", machine.answers)
    machine.wait_for("the intent outlived the daemon", lambda: demo() == ("stopped", "stopped"))
    assert machine.show("demo.service", "ActiveState") == "inactive"
    machine.run("systemctl", "start", "demo.service")
    machine.wait_for("the start is taken for intent", lambda: demo() == ("up", "started"))
    machine.run("systemctl", "kill", "--signal=KILL", "demo.service")
    machine.wait_for("a killed one is healed", lambda: machine.show("demo.service", "ActiveState") == "active")


def test_a_frozen_daemon_is_replaced_by_the_watchdog(machine: Machine) -> None:
    worker, daemon = machine.wait_until_up(), machine.main_pid()
    machine.run("kill", "-STOP", str(daemon))
    machine.wait_for("another daemon", lambda: machine.main_pid() not in (0, daemon))
    assert "Watchdog timeout" in machine.run("journalctl", "--no-pager", "--unit", UNIT)
    assert machine.wait_until_up() == worker
    assert machine.workers() == [worker]


def test_a_daemon_with_one_stuck_loop_is_replaced_by_the_watchdog(machine: Machine) -> None:
    worker = machine.wait_until_up()
    drop_in = f"/run/systemd/system/{UNIT}.d/95-stuck.conf"
    text = STUCK_LOOP.format(python=sys.executable, source=SOURCE_INSIDE)
    machine.write("/usr/local/bin/autonomyd-stuck", text, mode="0755")
    machine.write(drop_in, USE_STUCK_LOOP)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", UNIT)
    daemon = machine.main_pid()
    machine.run("rm", drop_in)  # the next start is the ordinary daemon's
    machine.run("systemctl", "daemon-reload")
    machine.wait_for("another daemon", lambda: machine.main_pid() not in (0, daemon))
    told = machine.run("journalctl", "--no-pager", "--output=cat", f"_PID={daemon}").splitlines()
    assert any("loops_stuck" in line and "healing" in line for line in told), told
    assert machine.wait_until_up() == worker
    assert machine.workers() == [worker]


def test_reload_takes_a_changed_file_and_keeps_the_old_one_over_a_bad_one(machine: Machine) -> None:
    daemon = machine.main_pid()
    extra = '\n[services.extra]\nautonomy = "observe"\ncontrol = { type = "systemd", unit = "demo.service" }\n'
    machine.write(CONFIG_FILE, CONFIG + extra)
    machine.run("systemctl", "reload", UNIT)
    machine.wait_for("the new service", lambda: "extra" in machine.status()["services"])
    machine.write(CONFIG_FILE, CONFIG + "\n[services.extra]\nnonsense = 1\n")
    machine.run("systemctl", "reload", UNIT)
    machine.wait_for("the refusal", lambda: machine.status()["daemon"]["config_error"])
    assert "nonsense" in machine.status()["daemon"]["config_error"]
    assert "extra" in machine.status()["services"]
    assert machine.main_pid() == daemon


def test_a_refused_configuration_is_not_tried_again(machine: Machine) -> None:
    machine.run("systemctl", "stop", UNIT)
    machine.write(CONFIG_FILE, "[intervals]\nmonitoring_s = 'often'\n")
    assert machine.try_run("systemctl", "start", UNIT).returncode != 0
    assert machine.show(UNIT, "ExecMainStatus") == "78"
    assert machine.show(UNIT, "ActiveState") == "failed"
    assert "monitoring_s" in machine.run("journalctl", "--no-pager", "--unit", UNIT, "--lines=20")


def test_a_second_daemon_is_refused(machine: Machine) -> None:
    daemon = machine.main_pid()
    second = machine.try_run("timeout", "20", "autonomyd")
    assert second.returncode not in (0, 124)
    assert str(daemon) in second.stdout + second.stderr
    assert machine.main_pid() == daemon
    assert machine.answers()
