"""What the boxes of database servers share: a free port, an unprivileged user, an orderly end."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest

HOST = "127.0.0.1"
READY_S = 30.0
LOOK_S = 0.05
NOBODY = "nobody"


def free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


def program(name: str, package: str, *folders: str) -> str:
    """The path of a server's program; the test is skipped where it is missing."""
    path = os.pathsep.join((*folders, os.environ.get("PATH", ""), "/usr/sbin"))
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian, Ubuntu: apt install {package})")
    return found


def private_folder() -> Path:
    """A folder that another user can reach: those of pytest are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="autonomyd-box-"))
    folder.chmod(0o755)
    return folder


def unprivileged(folder: Path) -> dict[str, object]:
    """Arguments for subprocess: servers refuse to run as root; `folder` then belongs to the other user."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(NOBODY)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class Server:
    """A server in a process of its own; `ready` says when it answers."""

    def __init__(
        self, folder: Path, argv: Sequence[str], ready: Callable[[], bool], *, stop: int = signal.SIGINT
    ) -> None:
        self.folder = folder
        self.argv = list(argv)
        self._ready = ready
        self._stop = stop
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def launch(self) -> None:
        """Start it without waiting."""
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.argv, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **unprivileged(self.folder),
            )  # type: ignore[call-overload]  # fmt: skip

    def start(self) -> None:
        self.launch()
        self.wait_ready()

    def wait_ready(self) -> None:
        deadline = time.monotonic() + READY_S
        while not self._ready():
            log = (self.folder / "server.log").read_text("utf-8", "replace")
            assert self._process is not None
            assert self._process.poll() is None, f"it ended with {self._process.poll()}: {log[-2000:]}"
            assert time.monotonic() < deadline, f"not ready after {READY_S:g} s: {log[-2000:]}"
            time.sleep(LOOK_S)

    def kill(self) -> None:
        """End it at once, with all its children."""
        self.signal(signal.SIGKILL)
        self._wait()

    def stop(self) -> None:
        self.signal(signal.SIGCONT)
        self.signal(self._stop, group=False)
        try:
            self._wait()
        except subprocess.TimeoutExpired:
            self.kill()

    def signal(self, number: int, *, group: bool = True) -> None:
        """To the server; with `group` also to its children, which may be in groups of their own (PostgreSQL)."""
        if self._process is None or self._process.poll() is not None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            main = psutil.Process(self._process.pid)
            for each in (main, *(main.children(recursive=True) if group else ())):
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.send_signal(number)

    def freeze(self) -> None:
        """Return when every thread has stopped."""
        self.signal(signal.SIGSTOP)
        deadline = time.monotonic() + READY_S
        main = psutil.Process(self.pid)
        while not all(_stopped(each.pid) for each in (main, *main.children(recursive=True))):
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def _wait(self) -> None:
        if self._process is not None:
            self._process.wait(timeout=15)


def _stopped(pid: int) -> bool:
    stats = [task.joinpath("stat").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    return all(stat.rpartition(")")[2].split()[0] == "T" for stat in stats)


@contextlib.contextmanager
def running(server: Server) -> Iterator[Server]:
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


def answers(port: int) -> bool:
    """Whether something accepts connections there."""
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False
