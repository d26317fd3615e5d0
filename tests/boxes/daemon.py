"""A real daemon in a process and folders of its own, with small services of the drill, for tests that break things."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from autonomyd.control.client import Client, ClientError
from autonomyd.drill.services import ServiceSpec, SmallService, make_services
from autonomyd.drill.tables import service_table

ROOT = Path(__file__).parents[2]
DEADLINE_S = 20.0
LOOK_S = 0.02
PRIVATE = ("AUTONOMYD_", "WATCHDOG_", "LISTEN_", "NOTIFY_SOCKET")
FAST = "[intervals]\nmonitoring_s = 1.0\nhealing_s = 1.0\n[healing.cooldown]\nfirst_s = 0.2\n"

T = TypeVar("T")


def until(wanted: Callable[[], T], what: str = "the condition", *, within_s: float = DEADLINE_S) -> T:
    """The first true value of `wanted`; fails after `within_s`."""
    deadline = time.monotonic() + within_s
    while not (value := wanted()):
        assert time.monotonic() < deadline, f"{what} did not come true within {within_s:g} s"
        time.sleep(LOOK_S)
    return value


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PRIVATE)}
    return kept | {"PYTHONPATH": str(ROOT)}


class DaemonBox:
    """Folders, a configuration, and the daemon that runs by it. `close()` ends all that was started here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state_dir = folder / "state"
        self.socket = folder / "d.sock"
        self.config = folder / "autonomyd.toml"
        self.log = folder / "daemon.log"
        self.client = Client(str(self.socket), timeout_s=DEADLINE_S)
        self.services: dict[str, SmallService] = {}
        self._process: subprocess.Popen[bytes] | None = None

    # --- configuration ---------------------------------------------------------------------------------------------

    def make_services(self, *specs: ServiceSpec, seed: int | None = None) -> dict[str, SmallService]:
        """Small services of the drill on free ports; their tables are in what `configure` writes."""
        self.services |= make_services(specs, self.folder, Random(seed))
        return self.services

    def configure(self, more: str = "", *, intervals: str = FAST) -> None:
        tables = "".join(service_table(service) for service in self.services.values())
        self.config.write_text(self.head() + intervals + tables + more, "utf-8")

    def head(self) -> str:
        return f"[daemon]\nstate_dir = {json.dumps(str(self.state_dir))}\nsocket = {json.dumps(str(self.socket))}\n"

    # --- life ------------------------------------------------------------------------------------------------------

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None
        return self._process

    def launch(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start the daemon without waiting for it."""
        argv = [sys.executable, "-m", "autonomyd.cli.daemon", *(arguments or ("-c", str(self.config)))]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                argv, cwd=self.folder, env=environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self._process

    def start(self, *arguments: str) -> "DaemonBox":
        self.launch(*arguments)
        until(self._answers, "the daemon's answer")
        return self

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Another daemon, that is expected to refuse."""
        argv = [sys.executable, "-m", "autonomyd.cli.daemon", *(arguments or ("-c", str(self.config)))]
        return subprocess.run(
            argv, cwd=self.folder, env=environment(), capture_output=True, text=True, timeout=DEADLINE_S
        )

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.terminate()
        return self.process.wait(DEADLINE_S)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for pid in self.marked():
            os.kill(pid, signal.SIGKILL)

    # --- what is seen ----------------------------------------------------------------------------------------------

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(path, **query)

    def post(self, path: str, **body: Any) -> Any:
        return self.client.post(path, body)

    def status(self) -> Any:
        return self.get("/v1/status")

    def service(self, name: str) -> Any:
        return self.get("/v1/services")[name]

    def state(self, name: str) -> str:
        return str(self.service(name)["state"])

    def until_state(self, name: str, state: str = "up", **more: Any) -> Any:
        until(lambda: self.state(name) == state, f"{name} is {state}", **more)
        return self.service(name)

    def issues(self) -> Any:
        """All that are known, newest first."""
        return self.get("/v1/issues", all=1)

    def fixes(self) -> Any:
        return self.get("/v1/fixes", limit=1000)

    def events(self) -> Any:
        return self.get("/v1/events", limit=5000)

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def marked(self, name: str | None = None) -> list[int]:
        """The live processes that a daemon with this state folder started (as `name`)."""
        wanted = f"AUTONOMYD_SERVICE={self.state_dir}/{name or ''}".encode()
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                words = Path(f"/proc/{entry}/environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(word == wanted if name else word.startswith(wanted) for word in words):
                found.append(int(entry))
        return found

    def raw(self, data: bytes, *, read: bool = True) -> bytes:
        """What the daemon answers to `data`."""
        with self.connect() as connection:
            connection.sendall(data)
            said = b""
            while read and (piece := connection.recv(65536)):
                said += piece
            return said

    def connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(DEADLINE_S)
        connection.connect(str(self.socket))
        return connection

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"the daemon ended with {self.process.returncode}:\n{self.said()[-3000:]}"
        try:
            self.client.get("/v1/health")
        except ClientError:
            return False
        return True
