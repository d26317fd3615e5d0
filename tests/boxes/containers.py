"""A container engine for tests: `ContainerBox` drives the script beside this file and speaks to its socket as the
`docker` of a person would, by plain blocking requests of its own."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

SCRIPT = Path(__file__).with_name("docker-box")
DEADLINE_S = 30.0
FOREVER = ("sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.05; done")
"""A program that obeys an orderly stop at once."""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("box", timeout=DEADLINE_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(DEADLINE_S)
        self.sock.connect(self._path)


class ContainerBox:
    """One engine by name, with `make`, `post` and the rest as a person next to the daemon."""

    def __init__(self, name: str) -> None:
        self._env = {**os.environ, "BOX": name}
        self.socket = ""

    def start(self) -> None:
        """Serve the API; after `halt` the same engine with the same containers."""
        self.socket = self._run("start").strip()

    def halt(self) -> None:
        self._run("halt")

    def stop(self) -> None:
        self._run("stop")

    def health(self, name: str) -> None:
        """Run the container's health check once."""
        self._run("health", name)

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
        """(HTTP status, the answer)."""
        connection = _Connection(self.socket)
        try:
            content = None if body is None else json.dumps(body)
            where = f"{path}?{urlencode(query)}" if query else path
            connection.request(method, where, content, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text.strip().startswith((b"{", b"[")) else None
        finally:
            connection.close()

    def post(self, path: str, body: Any = None, **query: str) -> Any:
        """An act that must succeed."""
        status, answer = self.ask("POST", path, body, **query)
        assert status < 400, f"{path}: {status} {answer}"
        return answer

    def make(
        self, name: str, *command: str, started: bool = True, host: dict[str, Any] | None = None, **more: Any
    ) -> str:
        """A new container on this machine's network; returns its id."""
        body = {
            "Image": "box:latest",
            "Cmd": list(command or FOREVER),
            "HostConfig": {"NetworkMode": "host", **(host or {})},
            **more,
        }
        made = self.post("/containers/create", body, name=name)
        if started:
            self.post(f"/containers/{name}/start")
        return str(made["Id"])

    def state(self, name: str) -> Any:
        """The `State` of its description; empty when there is none of that name."""
        status, answer = self.ask("GET", f"/containers/{name}/json")
        return answer["State"] if status == 200 else {}

    def pid(self, name: str) -> int:
        return int(self.state(name)["Pid"])

    def names(self) -> set[str]:
        _, rows = self.ask("GET", "/containers/json", all="true")
        return {name.removeprefix("/") for row in rows for name in row["Names"]}

    def remove_all(self) -> None:
        for name in self.names():
            self.ask("DELETE", f"/containers/{name}", force="true", v="true")

    def _run(self, *argv: str) -> str:
        done = subprocess.run(
            [str(SCRIPT), *argv], env=self._env, capture_output=True, text=True, timeout=2 * DEADLINE_S
        )
        assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done.stdout


def _stop_left_over(name: str) -> None:
    """End the boxes of earlier test runs that were killed before they could."""
    for folder in Path("/var/tmp").glob(f"docker-box-{name}-*"):
        left, _, owner = folder.name.removeprefix("docker-box-").rpartition("-")
        if left == name and owner.isdigit() and not Path("/proc", owner).exists():
            ContainerBox(f"{name}-{owner}").stop()


@contextlib.contextmanager
def container_box(name: str) -> Iterator[ContainerBox]:
    """A running engine. Skips the test, with what to install, where there can be none."""
    possible = subprocess.run([str(SCRIPT), "check"], capture_output=True, text=True)
    if possible.returncode != 0:
        pytest.skip(possible.stderr.strip())
    _stop_left_over(name)
    box = ContainerBox(f"{name}-{os.getpid()}")
    try:
        box.start()
        yield box
    finally:
        box.stop()
