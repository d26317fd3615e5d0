"""A booted systemd for tests: `SystemdBox` drives the script beside this file and knows how to install the project."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("systemd-box")
SOURCE_INSIDE = "/usr/local/src/autonomyd"
UNIT = "autonomyd.service"
CONFIG_FILE = "/etc/autonomyd/autonomyd.toml"
SOCKET = "/run/autonomyd/control.sock"
HEALTH_EXITS = (0, 1, 2, 3)
DEADLINE_S = 30.0
POLL_S = 0.05

ENTRY = """#!{python}
import sys
sys.path.insert(0, "{source}")
from {module} import main
sys.argv[0] = "{name}"
sys.exit(main())
"""


class SystemdBox:
    """One box by name. Every command runs inside it as root; a command that takes longer than DEADLINE_S fails."""

    def __init__(self, name: str) -> None:
        self._env = {**os.environ, "BOX": name}

    def _call(self, *argv: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(SCRIPT), *argv], env=self._env, input=stdin, capture_output=True, text=True, timeout=2 * DEADLINE_S
        )

    def start(self, *binds: str) -> None:
        done = self._call("start", *binds)
        assert done.returncode == 0, done.stderr

    def stop(self) -> None:
        done = self._call("stop")
        assert done.returncode == 0, done.stderr

    def try_run(self, *argv: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run and return whatever came of it."""
        return self._call("run", *argv, stdin=stdin)

    def run(self, *argv: str, stdin: str | None = None) -> str:
        """Standard output of a command that must succeed."""
        done = self.try_run(*argv, stdin=stdin)
        assert done.returncode == 0, f"{argv}: exit {done.returncode}\n{done.stdout}\n{done.stderr}\n{self.journal()}"
        return done.stdout

    def write(self, path: str, text: str, *, mode: str = "0644") -> None:
        self.run("install", "-D", "-m", mode, "/dev/stdin", path, stdin=text)

    def show(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return self.run("systemctl", "show", "--value", "--property", name, unit).strip()

    def journal(self) -> str:
        """The newest lines of the box's journal, for the message of a failed test."""
        return self.try_run("journalctl", "--no-pager", "--lines=60", "--output=cat").stdout

    def wait_for(self, what: str, condition: Callable[[], object], timeout_s: float = DEADLINE_S) -> None:
        """Return when the condition holds; fail with the journal when it does not within the time."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"not within {timeout_s:g} s: {what}\n{self.journal()}")
            time.sleep(POLL_S)

    def install_project(self) -> None:
        """`make install-files`, and entry points that run this interpreter's environment on this tree."""
        self.run("make", "--silent", "-C", SOURCE_INSIDE, "install-files", "PREFIX=/usr/local")
        for name, module in (("autonomyd", "autonomyd.cli.daemon"), ("autonomyctl", "autonomyd.cli.ctl")):
            entry = ENTRY.format(python=sys.executable, source=SOURCE_INSIDE, module=module, name=name)
            self.write(f"/usr/local/bin/{name}", entry, mode="0755")
        self.run("systemd-sysusers")
        self.run("systemd-tmpfiles", "--create", "autonomyd.conf")
        self.run("systemctl", "daemon-reload")


class DaemonMachine(SystemdBox):
    """A box with questions to the daemon in it."""

    def status(self) -> dict[str, Any]:
        """What `autonomyctl status --json` prints; fails when no daemon answers."""
        done = self.try_run("autonomyctl", "status", "--json")
        assert done.returncode in HEALTH_EXITS, f"exit {done.returncode}: {done.stderr}\n{self.journal()}"
        status: dict[str, Any] = json.loads(done.stdout)
        return status

    def answers(self) -> bool:
        return self.try_run("autonomyctl", "status", "--json").returncode in HEALTH_EXITS

    def main_pid(self, unit: str = UNIT) -> int:
        return int(self.show(unit, "MainPID"))


def _stop_left_over(name: str) -> None:
    """End the boxes of earlier test runs that were killed before they could."""
    for folder in Path("/var/tmp").glob(f"systemd-box-{name}-*"):
        left, _, owner = folder.name.removeprefix("systemd-box-").rpartition("-")
        if left == name and owner.isdigit() and not Path("/proc", owner).exists():
            SystemdBox(f"{name}-{owner}").stop()


SomeBox = TypeVar("SomeBox", bound=SystemdBox)


@contextlib.contextmanager
def project_box(name: str, kind: type[SomeBox]) -> Iterator[SomeBox]:
    """A booted box with the project installed. Skips the test, with what to install, where none can be booted."""
    possible = subprocess.run([str(SCRIPT), "check"], capture_output=True, text=True)
    if possible.returncode != 0:
        pytest.skip(possible.stderr.strip())
    binds = [f"{ROOT}:{SOURCE_INSIDE}"]
    if sys.prefix != sys.base_prefix:  # a virtual environment, maybe below /tmp, which is empty inside
        binds.append(f"{sys.prefix}:{sys.prefix}")
    _stop_left_over(name)
    box = kind(f"{name}-{os.getpid()}")
    try:
        box.start(*binds)
        box.install_project()
        yield box
    finally:
        box.stop()
