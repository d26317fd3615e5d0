"""A real daemon in a scratch folder, the light services it starts, and the end of all of them.

Whatever a benchmark starts, directly or through the daemon, is a descendant of this process and ends with the scratch:
this process adopts orphans, so the services of a daemon that was stopped are still found by their pid."""

import atexit
import contextlib
import ctypes
import functools
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import proc

ROOT = Path(__file__).resolve().parents[2]
LIGHT_SERVICE = Path(__file__).with_name("light_service.py")
PR_SET_CHILD_SUBREAPER = 36
DEADLINE_S = 60.0
IMPORTED = ("autonomyd.cli.daemon", "autonomyd.cli.logging", "autonomyd.control.daemon", "autonomyd.cli.verbs.status")


class TooSlowError(Exception):
    """What was waited for did not come within the deadline."""


@dataclass(slots=True, kw_only=True)
class Daemon:
    """A running daemon. `ready_s` is from exec to READY=1, `answered_s` to the first answer on the control socket."""

    process: subprocess.Popen[bytes]
    socket: Path
    log: Path
    ready_s: float = 0.0
    answered_s: float = 0.0

    @property
    def pid(self) -> int:
        return self.process.pid

    def ask(self, path: str) -> dict[str, Any]:
        """GET a path of the control API."""
        return ask(self.socket, path)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass(slots=True, kw_only=True)
class Scratch:
    """A folder that goes away, with everything that was started in it."""

    folder: Path
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.folder / "daemon.log"

    def configure(self, services: Mapping[str, Mapping[str, Any]], **tables: Mapping[str, Any]) -> Path:
        """Write a configuration of the given services and tables."""
        daemon = {"state_dir": str(self.folder / "state"), "socket": str(self.folder / "c.sock")}
        lines = list(toml_table("daemon", daemon))
        for name, table in tables.items():
            lines += toml_table(name, table)
        for name, table in services.items():
            lines += toml_table(f"services.{name}", table)
        path = self.folder / "autonomyd.toml"
        path.write_text("\n".join(lines) + "\n")
        return path

    @contextlib.contextmanager
    def daemon(self, config: Path | None = None) -> Iterator[Daemon]:
        """Run the daemon until the block ends; without `config` with none at all."""
        arguments = ["-c", str(config)] if config else []
        if not config:
            arguments = ["--state-dir", str(self.folder / "state"), "--socket", str(self.folder / "c.sock")]
        notify = self.folder / "notify.sock"
        notify.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener, self.log.open("ab") as log:
            listener.bind(str(notify))
            listener.settimeout(DEADLINE_S)
            began = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-m", "autonomyd.cli.daemon", *arguments],
                env=environment(NOTIFY_SOCKET=str(notify)),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            daemon = Daemon(process=process, socket=self.folder / "c.sock", log=self.log)
            try:
                daemon.ready_s = self._ready(listener) - began
                daemon.ask("/v1/status")
                daemon.answered_s = time.perf_counter() - began
                yield daemon
            finally:
                daemon.stop()

    def _ready(self, listener: socket.socket) -> float:
        while True:
            try:
                message = listener.recv(4096)
            except TimeoutError:
                raise TooSlowError(f"no READY=1 within {DEADLINE_S:g} s:\n{self.log.read_text()[-2000:]}") from None
            if b"READY=1" in message:
                return time.perf_counter()


@contextlib.contextmanager
def scratch() -> Iterator[Scratch]:
    """A scratch folder with a short path (sockets live in it)."""
    adopt_orphans()
    folder = Path(tempfile.mkdtemp(prefix="abench-"))
    before = proc.children(os.getpid())
    try:
        yield Scratch(folder=folder)
    finally:
        end_all(proc.children(os.getpid()) - before)
        shutil.rmtree(folder, ignore_errors=True)


def adopt_orphans() -> None:
    """Become the parent of descendants whose parent ends."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_all(pids: set[int]) -> None:
    """Kill and reap these children of ours."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def environment(**more: str) -> dict[str, str]:
    """Ours, with this source tree first, with byte code kept as an installed package has it, and without settings of a
    daemon."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AUTONOMYD_", "NOTIFY_", "PYTHON"))}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": byte_code(), **more}


@functools.cache
def byte_code() -> str:
    """A folder with the byte code of what the daemon and the command import; it goes away at the end."""
    folder = tempfile.mkdtemp(prefix="abench-code-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run(
        [sys.executable, "-c", f"import {', '.join(IMPORTED)}"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""},
        check=True,
        timeout=DEADLINE_S,
    )
    return folder


def free_ports(count: int) -> list[int]:
    """Ports on the loopback that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def service_command(port: int, heartbeat: Path | None = None, delay_s: float = 0.0) -> list[str]:
    """The command line of a light service."""
    return [sys.executable, "-I", "-S", str(LIGHT_SERVICE), str(port), str(heartbeat or ""), f"{delay_s:.4f}"]


def answer_of(port: int, path: str = "/") -> int | None:
    """The pid of the service that answers on `port`, None when none does."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2.0) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            raw = connection.recv(4096)
        return int(raw.rpartition(b"\r\n\r\n")[2])
    except (OSError, ValueError):
        return None


def ask(path_of_socket: Path, path: str) -> dict[str, Any]:
    """GET a path of the control API; raises OSError."""
    connection = http.client.HTTPConnection("localhost", timeout=10.0)
    connection.sock = socket.socket(socket.AF_UNIX)
    with contextlib.closing(connection):
        connection.sock.connect(str(path_of_socket))
        connection.request("GET", path)
        found: dict[str, Any] = json.loads(connection.getresponse().read())
        return found


def wait_for(condition: Callable[[], Any], what: str, *, within_s: float = DEADLINE_S, every_s: float = 0.001) -> Any:
    """The first true answer of `condition`. Raises TooSlowError after `within_s`."""
    deadline = time.monotonic() + within_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() >= deadline:
            raise TooSlowError(f"{what}: not within {within_s:g} s")
        time.sleep(every_s)


def all_up(daemon: Daemon, count: int) -> bool:
    """Whether the daemon calls `count` services up."""
    services = daemon.ask("/v1/status")["services"]
    each = services.values() if isinstance(services, Mapping) else services
    return sum(service["state"] == "up" for service in each) >= count


def toml_table(name: str, values: Mapping[str, Any]) -> Iterator[str]:
    yield f"[{name}]"
    for key, value in values.items():
        yield f"{key} = {toml_value(value)}"


def toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {toml_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return json.dumps(value)
