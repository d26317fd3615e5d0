"""The unit's sandbox, on a booted systemd: closed enough for systemd-analyze, open enough for the daemon's work.

The daemon is not needed: each test runs one command in exactly the unit's sandbox."""

import re
import sys
from collections.abc import Iterator

import pytest

from tests.boxes.systemd import SystemdBox, project_box

pytestmark = pytest.mark.real

WORST_EXPOSURE = 4.0
UNIT = "/usr/local/lib/systemd/system/autonomyd.service"
ONE_COMMAND = """
[Service]
Type=oneshot
Restart=no
WatchdogSec=0
RuntimeDirectory=
ExecReload=
ExecStart=
ExecStart={command}
"""
DEMO = """
[Service]
ExecStart=/bin/sleep infinity
"""


@pytest.fixture(scope="module")
def box() -> Iterator[SystemdBox]:
    with project_box("sandbox", SystemdBox) as box:
        box.write("/etc/systemd/system/demo.service", DEMO)
        box.write("/etc/systemd/system/other-user.service", f"{DEMO}User=nobody\n")
        box.run("systemctl", "daemon-reload")
        box.run("systemctl", "start", "demo.service", "other-user.service")
        yield box


def in_the_sandbox(box: SystemdBox, command: str, *, extra: str = "") -> tuple[bool, str]:
    """Run a shell command under the unit's own limits. Returns whether it succeeded, and the journal of the try."""
    unit = box.run("cat", UNIT)
    box.write("/usr/local/bin/one-command", f"#!/bin/sh\n{command}\n", mode="0755")
    text = unit + ONE_COMMAND.format(command="/usr/local/bin/one-command") + extra
    box.write("/etc/systemd/system/one-command.service", text)
    box.run("systemctl", "daemon-reload")
    done = box.try_run("systemctl", "start", "one-command.service")
    return done.returncode == 0, box.journal()


def assert_possible(box: SystemdBox, command: str, *, extra: str = "") -> None:
    possible, journal = in_the_sandbox(box, command, extra=extra)
    assert possible, journal


def exposure(box: SystemdBox, unit: str) -> float:
    report = box.run("systemd-analyze", "security", "--no-pager", unit)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", report)
    assert found, report
    return float(found.group(1))


def test_systemd_accepts_every_line(box: SystemdBox) -> None:
    done = box.try_run("systemd-analyze", "verify", UNIT)
    assert (done.returncode, done.stderr) == (0, "")


def test_exposure_is_at_most_4(box: SystemdBox) -> None:
    assert exposure(box, "autonomyd.service") <= WORST_EXPOSURE


def test_restarts_a_unit_over_the_bus(box: SystemdBox) -> None:
    before = box.show("demo.service", "MainPID")
    assert_possible(box, "systemctl restart demo.service")
    assert box.show("demo.service", "MainPID") != before


def test_sees_and_signals_processes_of_another_user(box: SystemdBox) -> None:
    pid = box.show("other-user.service", "MainPID")
    assert_possible(box, f"set -e; ls /proc/{pid}/fd; cat /proc/{pid}/smaps_rollup /proc/{pid}/io; kill -TERM {pid}")
    box.wait_for("the end of the signalled process", lambda: box.show("other-user.service", "ActiveState") != "active")


def test_deletes_logs_of_any_owner_but_writes_no_system_file(box: SystemdBox) -> None:
    box.run("sh", "-c", "mkdir /var/log/web && touch /var/log/web/old.1 && chown -R nobody /var/log/web")
    assert_possible(box, "rm /var/log/web/old.1 && touch /var/lib/autonomyd/x && ! touch /etc/x && ! touch /usr/x")


def test_reaches_the_socket_of_the_container_engine_and_reads_the_journal(box: SystemdBox) -> None:
    """Docker makes its socket for root and a group of its own, below /run, which is not closed."""
    server = "import os, socket; s = socket.socket(socket.AF_UNIX); s.bind('/run/docker.sock'); s.listen(); "
    server += "os.chmod('/run/docker.sock', 0o660); s.accept()[0].send(b'x')"
    box.write("/etc/systemd/system/engine.service", f'[Service]\nExecStart={sys.executable} -c "{server}"\n')
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "start", "engine.service")
    box.wait_for("the socket", lambda: box.try_run("test", "-S", "/run/docker.sock").returncode == 0)
    client = 'import socket; s = socket.socket(socket.AF_UNIX); s.connect("/run/docker.sock"); assert s.recv(1) == b"x"'
    assert_possible(box, f"exec {sys.executable} -c '{client}'")
    assert_possible(box, "journalctl --unit=demo.service --lines=1 --output=json --no-pager | grep -q MESSAGE")


def test_a_child_can_drop_to_its_own_user_and_listen_low(box: SystemdBox) -> None:
    assert_possible(box, "test $(setpriv --reuid=65534 --regid=65534 --clear-groups id -u) = 65534")
    listen = 'import socket; socket.create_server(("127.0.0.1", 80)).close()'
    assert_possible(box, f"exec {sys.executable} -c '{listen}'")


def test_shares_tmp_with_the_watched_services(box: SystemdBox) -> None:
    box.run("touch", "/tmp/heartbeat")
    assert_possible(box, "test -e /tmp/heartbeat")


def test_the_example_drop_in_opens_what_it_says(box: SystemdBox) -> None:
    example = box.run("cat", "/usr/local/share/doc/autonomyd/20-services.conf")
    closed = "touch /home/x && touch /etc/x && chroot / true && unshare --uts true"
    possible, _ = in_the_sandbox(box, closed)
    assert not possible
    assert_possible(box, closed, extra=example)


def test_what_a_child_leaves_running_outlives_the_unit(box: SystemdBox) -> None:
    assert_possible(box, "setsid sleep 4711 </dev/null >/dev/null 2>&1 &")
    assert box.show("one-command.service", "ActiveState") == "inactive"
    box.run("pgrep", "--full", "^sleep 4711$")
