"""The daemon under drill: a real one, in a process and a state folder of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import autonomyd
from autonomyd.control.client import Client, ClientError
from autonomyd.host.inherited import without_private

READY_S = 15.0
ORDERLY_STOP_S = 8.0
LOOK_S = 0.02
TAIL_LINES = 12
REQUEST_TIMEOUT_S = 20.0
OTHERS_SETTINGS = "AUTONOMYD_"


class DrillError(Exception):
    """The drill itself can't go on; the text says why."""


class DaemonUnderDrill:
    """Starts, kills and ends the daemon. All else about it is asked through `client`."""

    def __init__(self, scratch: Path, socket: Path) -> None:
        self.config = scratch / "autonomyd.toml"
        self.log = scratch / "autonomyd.log"
        self.state_dir = scratch / "state"
        self.socket = socket
        self.client = Client(str(self.socket), timeout_s=REQUEST_TIMEOUT_S)
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Start it."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "autonomyd.cli.daemon", "--config", str(self.config), "--log-format", "json"],
                cwd=self.config.parent,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the drill, which then ends the daemon in order
            )

    def start(self) -> float:
        """Start it and wait until it answers; returns the seconds that this took. Raises DrillError."""
        began = time.monotonic()
        self.launch()
        while time.monotonic() - began < READY_S:
            if self._process is not None and self._process.poll() is not None:
                code, tail = self._process.returncode, self.tail()
                why = tail.rpartition("\n")[2] or "it said nothing"
                raise DrillError(f"the daemon ended at its start (code {code}): {why}\n{tail}")
            if self.answers():
                return time.monotonic() - began
            time.sleep(LOOK_S)
        raise DrillError(f"the daemon did not answer within {READY_S:g} s:\n{self.tail()}")

    def answers(self) -> bool:
        try:
            self.client.get("/v1/health")
        except ClientError:
            return False
        return True

    def get(self, path: str, **query: Any) -> Any:
        """Raises ClientError."""
        return self.client.get(path, **query)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def end(self) -> None:
        """Stop it in order; with SIGKILL when it does not."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(ORDERLY_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def tail(self) -> str:
        """The last lines of its log."""
        try:
            return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-TAIL_LINES:])
        except FileNotFoundError:
            return ""


def _environment() -> dict[str, str]:
    """Ours, without what belongs to another daemon; the same package is found from any folder."""
    kept = {key: word for key, word in without_private(os.environ).items() if not key.startswith(OTHERS_SETTINGS)}
    here = str(Path(autonomyd.__file__).parents[1])
    before = kept.get("PYTHONPATH")
    return kept | {"PYTHONPATH": f"{here}{os.pathsep}{before}" if before else here}
