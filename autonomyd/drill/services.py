"""The small services as the drill sees them: where they are, what they answer, which of their processes live."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from autonomyd.drill import small_service
from autonomyd.host.process import cmdline, read_process

LOOPBACK = "127.0.0.1"
PORTS = range(20_000, 32_000)
"""Below what the system gives to outgoing connections: else the drill's own could sit on a dead service's port."""
ASK_TIMEOUT_S = 0.5
CHECK_EVERY_S = 0.5
CHECK_TIMEOUT_S = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """A small service that a scenario wants. `settings` are further keys of its table, as TOML values."""

    name: str
    needs: str = ""
    pidfile: bool = False
    shared_port: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a service said: HTTP status, and the pid of who said it."""

    status: int
    pid: int

    @property
    def good(self) -> bool:
        return self.status == 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallService:
    """One small service in its folder. `command` is its full command line."""

    spec: ServiceSpec
    folder: Path
    port: int
    command: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.spec.name

    def ask(self, path: str = "/health", *, timeout_s: float = ASK_TIMEOUT_S) -> Answer | None:
        """What it answers; None when it does not, within `timeout_s`."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=timeout_s) as connection:
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: drill\r\n\r\n".encode("ascii"))
                said = b""
                while piece := connection.recv(4096):
                    said += piece
            head, _, body = said.partition(b"\r\n\r\n")
            return Answer(status=int(head.split(b" ", 2)[1]), pid=int(body))
        except (OSError, ValueError, IndexError):
            return None

    def starts(self) -> tuple[int, ...]:
        """The pids of all its processes so far, in order."""
        try:
            return tuple(int(line) for line in (self.folder / "starts").read_text("ascii").split())
        except FileNotFoundError:
            return ()

    def alive(self) -> tuple[int, ...]:
        """The pids of its processes that live now."""
        return tuple(pid for pid in dict.fromkeys(self.starts()) if self._is_mine(pid))

    def pid(self) -> int:
        """The pid of its only process. Raises LookupError when there is none, or more than one."""
        alive = self.alive()
        if len(alive) != 1:
            raise LookupError(f"{self.name} has {len(alive)} processes")
        return alive[0]

    def signal(self, number: signal.Signals) -> int:
        """Send a signal to its process; returns the pid. Raises LookupError."""
        pid = self.pid()
        os.kill(pid, number)
        return pid

    def flag(self, name: str, text: str = "") -> None:
        """Set one of the flags that it reads at its start."""
        (self.folder / name).write_text(text, "ascii")

    def start_by_hand(self) -> "subprocess.Popen[bytes]":
        """What an operator does past the daemon: start it with the same command."""
        with (self.folder / "by-hand.log").open("ab") as log:
            return subprocess.Popen(
                self.command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def end(self) -> None:
        """Kill what is left of it."""
        for pid in self.alive():
            os.kill(pid, signal.SIGKILL)

    def toml(self) -> str:
        """Its table in the daemon's configuration."""
        folder = self.folder
        control = [
            'type = "process"',
            f"command = {quoted(list(self.command))}",
            f"cwd = {quoted(str(folder))}",
            "stop_timeout_s = 2.0",
            *([f"pidfile = {quoted(str(folder / 'pid'))}"] if self.spec.pidfile else []),
        ]
        check = [
            'type = "http"',
            f"url = {quoted(f'http://{LOOPBACK}:{self.port}/health')}",
            f"every_s = {CHECK_EVERY_S}",
            f"timeout_s = {CHECK_TIMEOUT_S}",
            "failures = 2",
        ]
        lines = [
            f"[services.{self.name}]",
            f"control = {{ {', '.join(control)} }}",
            f"checks = [{{ {', '.join(check)} }}]",
            *(f"{key} = {value}" for key, value in self.spec.settings.items()),
        ]
        return "\n".join(lines) + "\n"

    def _is_mine(self, pid: int) -> bool:
        facts = read_process(pid)
        return facts is not None and not facts.is_dead and str(self.folder) in cmdline(pid)


def make_services(specs: tuple[ServiceSpec, ...], scratch: Path, rng: Random) -> dict[str, SmallService]:
    """The services of `specs` in folders of their own, with free ports. Nothing is started yet."""
    script = scratch / "small_service.py"
    shutil.copyfile(str(small_service.__file__), script)
    ports = free_ports(len(specs), rng)
    port_of = {spec.name: port for spec, port in zip(specs, ports, strict=True)}
    made: dict[str, SmallService] = {}
    for spec in specs:
        folder = scratch / "services" / spec.name
        folder.mkdir(parents=True)
        words = [*(["pidfile"] if spec.pidfile else []), *(["shared-port"] if spec.shared_port else [])]
        words += [f"needs={port_of[spec.needs]}"] if spec.needs else []
        command = (sys.executable, "-I", "-S", str(script), str(port_of[spec.name]), str(folder), *words)
        made[spec.name] = SmallService(spec=spec, folder=folder, port=port_of[spec.name], command=command)
    return made


def free_ports(count: int, rng: Random) -> list[int]:
    """Ports of the loopback that nobody listens on. Raises LookupError when there are too few."""
    found: list[int] = []
    for port in rng.sample(PORTS, len(PORTS)):
        if len(found) == count:
            return found
        with socket.socket() as trial:
            try:
                trial.bind((LOOPBACK, port))
            except OSError:
                continue
        found.append(port)
    raise LookupError(f"no {count} free ports between {PORTS.start} and {PORTS.stop}")


def quoted(value: object) -> str:
    """A text or a list of texts as TOML (JSON strings are TOML strings)."""
    return json.dumps(value, ensure_ascii=False)
