"""The services under drill as it sees them: where they are, what they answer, which of their processes live."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from random import Random

from autonomyd.drill import noted, small_redis, small_service
from autonomyd.host.process import cmdline, read_process, working_folder

LOOPBACK = "127.0.0.1"
PORTS = range(20_000, 32_000)
"""Below what the system gives to outgoing connections: else the drill's own could sit on a dead service's port."""
ASK_TIMEOUT_S = 0.5
CHECK_EVERY_S = 0.5
CHECK_TIMEOUT_S = 0.6
REDIS = "redis-server"
PYTHON = (sys.executable, "-I", "-S")


class Program(StrEnum):
    """`small`: the small service. `web`: the same with everything that a service can have. `redis`: its dependency."""

    SMALL = "small"
    WEB = "web"
    REDIS = "redis"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """A service that a scenario wants. `needs` names the one whose answer its /deep page needs; with `refuses` it does
    not start while its pid file exists; with `own_disk` its log folder is a small disk of its own. `settings` are
    further keys of its table, as TOML values."""

    name: str
    program: Program = Program.SMALL
    needs: str = ""
    pidfile: bool = False
    refuses: bool = False
    shared_port: bool = False
    own_disk: bool = False
    every_s: float = CHECK_EVERY_S
    timeout_s: float = CHECK_TIMEOUT_S
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
    """One service in its folder. `command` is its full command line."""

    spec: ServiceSpec
    folder: Path
    port: int
    command: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def log(self) -> Path:
        return self.folder / "log" / "web.log"

    @property
    def config(self) -> Path:
        return self.folder / "web.toml"

    @property
    def release(self) -> Path:
        """The link that names the release in use."""
        return self.folder / "current"

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
        return self._noted("starts")

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

    def deploy(self, name: str, *, defect: str = "") -> None:
        """Put a new release beside the one in use, and let the link name it. What runs is not restarted."""
        made = self.folder / "releases" / name
        made.mkdir(parents=True)
        shutil.copyfile(str(small_service.__file__), made / "small_service.py")
        if defect:
            (made / "defect").write_text(defect, "ascii")
        fresh = self.folder / "current.new"
        fresh.symlink_to(made)
        fresh.replace(self.release)

    def start_by_hand(self) -> "subprocess.Popen[bytes]":
        """What an operator does past the daemon: start it with the same command."""
        with (self.folder / "by-hand.log").open("ab") as log:
            return subprocess.Popen(
                self.command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def end(self) -> None:
        """Kill what is left of it, and of the children that it forked."""
        for pid in (*self.alive(), *(pid for pid in self._noted("children") if self._is_mine(pid))):
            os.kill(pid, signal.SIGKILL)

    def _noted(self, name: str) -> tuple[int, ...]:
        try:
            return tuple(int(line) for line in (self.folder / name).read_text("ascii").split())
        except FileNotFoundError:
            return ()

    def _is_mine(self, pid: int) -> bool:
        """Pids are used again: one of ours works in its folder (or names it, where folders can't be seen)."""
        facts = read_process(pid)
        if facts is None or facts.is_dead:
            return False
        return working_folder(pid) == os.path.realpath(self.folder) or str(self.folder) in cmdline(pid)


def make_services(
    specs: tuple[ServiceSpec, ...], scratch: Path, rng: Random, among: range = PORTS
) -> dict[str, SmallService]:
    """The services of `specs` in folders of their own, with free ports of `among`. Nothing is started yet."""
    ports = dict(zip((spec.name for spec in specs), free_ports(len(specs), rng, among=among), strict=True))
    made: dict[str, SmallService] = {}
    for spec in specs:
        folder = scratch / "services" / spec.name
        folder.mkdir(parents=True)
        service = SmallService(spec=spec, folder=folder, port=ports[spec.name], command=_command(spec, folder, ports))
        if spec.program is Program.WEB:
            service.log.parent.mkdir()
            service.config.write_text('# how the small service works\ngreeting = "hello"\npool_size = 4\n', "utf-8")
            service.deploy("1")
        made[spec.name] = service
    return made


def dependency() -> str:
    """What the dependency of the stage is, in words."""
    return REDIS if shutil.which(REDIS) else "the drill's own substitute of Redis"


def _command(spec: ServiceSpec, folder: Path, ports: Mapping[str, int]) -> tuple[str, ...]:
    port = str(ports[spec.name])
    if spec.program is Program.REDIS:
        server = shutil.which(REDIS)
        own = (server, "--port", port, "--bind", LOOPBACK, "--save", "", "--dir", str(folder)) if server else None
        run = own or (*PYTHON, _copied(folder, str(small_redis.__file__)), port)
        return (*PYTHON, _copied(folder, str(noted.__file__)), str(folder / "starts"), *run)
    words = [
        *(["pidfile"] if spec.pidfile else []),
        *(["refuses"] if spec.refuses else []),
        *(["shared-port"] if spec.shared_port else []),
        *([f"needs={ports[spec.needs]}"] if spec.needs else []),
        *(["full"] if spec.program is Program.WEB else []),
    ]
    full = spec.program is Program.WEB
    script = f"{folder}/current/small_service.py" if full else _copied(folder, str(small_service.__file__))
    return (*PYTHON, script, port, str(folder), *words)


def _copied(folder: Path, script: str) -> str:
    """The services must not need the checkout, nor the folder of the package be readable to them."""
    return str(shutil.copy(script, folder / Path(script).name))


def free_ports(count: int, rng: Random, *, among: range = PORTS) -> list[int]:
    """Ports of the loopback that nobody listens on. Raises LookupError when there are too few."""
    found: list[int] = []
    for port in rng.sample(among, len(among)):
        if len(found) == count:
            return found
        with socket.socket() as trial:
            try:
                trial.bind((LOOPBACK, port))
            except OSError:
                continue
        found.append(port)
    if len(found) == count:
        return found
    raise LookupError(f"no {count} free ports between {among.start} and {among.stop}")
