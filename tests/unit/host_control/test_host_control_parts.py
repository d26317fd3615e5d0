"""The small parts of the hands: paths, lock, notify, evidence, words."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from autonomyd.host.controls.evidence import RunRecord, leading, marked_processes, read_pidfile, runs_command
from autonomyd.host.controls.systemd import ASKED, run_of
from autonomyd.host.lock import AlreadyRunning, InstanceLock
from autonomyd.host.notify import Notifier
from autonomyd.host.paths import default_socket, default_state_dir, ensure_private_dir, socket_candidates
from autonomyd.host.pidfd import identify
from autonomyd.host.process import ProcessIdentity
from autonomyd.host.signals import named_signal, send_signal
from autonomyd.host.spawn import explain_exit, service_environment
from autonomyd.host.systemd import NAME, PATH, SystemdManager, UnitState, unit_path
from autonomyd.model.service import RunState, ServiceRun


def test_paths_of_root_and_of_a_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_state_dir() == Path("/var/lib/autonomyd")
    assert default_socket() == Path("/run/autonomyd/control.sock")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    monkeypatch.setenv("AUTONOMYD_SOCKET", "/tmp/mine.sock")
    assert default_state_dir() == tmp_path / "autonomyd"
    user = Path("/run/user/1000/autonomyd/control.sock")
    assert default_socket() == user
    assert socket_candidates() == (Path("/tmp/mine.sock"), Path("/run/autonomyd/control.sock"), user)
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.delenv("AUTONOMYD_SOCKET")
    assert socket_candidates()[-1] == tmp_path / "autonomyd" / "control.sock"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_state_dir() == tmp_path / ".local/state/autonomyd"


def test_paths_import_nothing_heavy() -> None:
    code = (
        "import sys, autonomyd.host.paths; print([m for m in ('asyncio', 'psutil', 'structlog') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_private_folder(tmp_path: Path) -> None:
    made = ensure_private_dir(tmp_path / "a" / "b", 0o700)
    assert made.stat().st_mode & 0o777 == 0o700
    made.chmod(0o755)
    assert ensure_private_dir(made).stat().st_mode & 0o777 == 0o755
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        ensure_private_dir(tmp_path / "file")


def test_lock_names_its_holder_and_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "daemon.lock"
    with InstanceLock(path):
        with pytest.raises(AlreadyRunning) as caught:
            InstanceLock(path).acquire()
        assert caught.value.pid == os.getpid()
        assert caught.value.path == path
    with InstanceLock(path):
        assert path.read_text() == f"{os.getpid()}\n"
    assert path.exists()


@pytest.mark.parametrize("abstract", [False, True])
def test_notify_sends_and_hides_its_variables(tmp_path: Path, abstract: bool) -> None:
    if abstract and sys.platform != "linux":
        pytest.skip("abstract sockets are Linux's")
    name = f"@autonomyd-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name[1:] if abstract else name)
        manager.settimeout(5.0)
        environ = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid()), "HOME": "/"}
        notifier = Notifier(environ)
        assert environ == {"HOME": "/"}
        assert notifier.enabled
        assert notifier.watchdog_interval_s() == 3.0
        notifier.ready()
        notifier.status("two\nlines")
        notifier.reloading()
        notifier.watchdog()
        notifier.stopping()
        heard = [manager.recv(1000).decode() for _ in range(5)]
        notifier.close()
    assert heard[0] == "READY=1"
    assert heard[1] == "STATUS=two lines"
    assert heard[2].startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert heard[3:] == ["WATCHDOG=1", "STOPPING=1"]


def test_notify_without_a_manager_is_silent(tmp_path: Path) -> None:
    silent = Notifier({})
    silent.ready()
    assert not silent.enabled
    assert silent.watchdog_interval_s() is None
    gone = Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone"), "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"})
    gone.ready()
    assert gone.watchdog_interval_s() is None
    gone.close()


@pytest.mark.parametrize(
    ("text", "pid"), [("12\n", 12), (" 7 x\n", 7), ("", None), ("abc", None), ("0", None), ("-4", None)]
)
def test_pidfile(tmp_path: Path, text: str, pid: int | None) -> None:
    file = tmp_path / "x.pid"
    assert read_pidfile(file) is None
    file.write_text(text)
    found = read_pidfile(file)
    assert (found.pid if found else None) == pid


def test_a_command_line_is_recognised(tmp_path: Path) -> None:
    script = tmp_path / "serve"
    script.write_text("#!/bin/sh\necho up\nread line\n")
    script.chmod(0o755)
    with subprocess.Popen([script, "a"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"  # the kernel shows arguments a moment after the start
        assert runs_command(process.pid, (str(script), "a"), tmp_path)
        assert runs_command(process.pid, ("./serve", "a"), tmp_path)
        assert not runs_command(process.pid, (str(script), "b"), tmp_path)
        assert not runs_command(process.pid, (str(script), "a"), Path("/usr"))
        assert not runs_command(process.pid, ("other", "a"), tmp_path)
        assert process.stdin is not None
        process.stdin.close()


def test_a_record_is_only_of_the_very_process(tmp_path: Path) -> None:
    record = RunRecord(tmp_path / "run" / "web.json")
    own = identify(os.getpid())
    assert own is not None
    assert record.read() is None
    record.write(own)
    assert record.read() == own
    record.write(ProcessIdentity(pid=own.pid, start_ticks=own.start_ticks + 1))
    assert record.read() is None
    record.path.write_text("{")
    assert record.read() is None


def test_nothing_is_marked_by_chance() -> None:
    assert marked_processes(f"nobody/{os.getpid()}") == ()
    assert leading(()) is None


def test_no_signal_reaches_another_process_with_the_same_pid() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        real = identify(process.pid)
        assert real is not None
        assert not send_signal(ProcessIdentity(pid=real.pid, start_ticks=real.start_ticks - 1), signal.SIGKILL)
        assert process.poll() is None
        assert send_signal(real, signal.SIGKILL)
        process.wait()
        assert not send_signal(real, signal.SIGKILL)


def test_words_for_exits_and_signals() -> None:
    assert explain_exit(3 << 8) == "exited with code 3"
    assert explain_exit(9) == "killed by SIGKILL"
    assert explain_exit(11 | 0x80) == "killed by SIGSEGV (core dumped)"
    assert named_signal("HUP") is signal.SIGHUP


def test_a_service_gets_no_private_variables() -> None:
    base = {"PATH": "/bin", "NOTIFY_SOCKET": "x", "WATCHDOG_USEC": "1", "LISTEN_FDS": "1", "AUTONOMYD_TOKEN": "x"}
    assert service_environment(base, {"PORT": "1"}) == {"PATH": "/bin", "PORT": "1"}


def test_unit_paths_are_escaped_as_systemd_does() -> None:
    assert unit_path("nginx.service") == "/org/freedesktop/systemd1/unit/nginx_2eservice"
    assert unit_path("1a@b-c.service") == "/org/freedesktop/systemd1/unit/_31a_40b_2dc_2eservice"


@pytest.mark.parametrize(
    ("state", "run"),
    [
        (UnitState(missing="no bus"), ServiceRun(state=RunState.UNKNOWN, message="no bus")),
        (UnitState(load="not-found", active="inactive"), ServiceRun(state=RunState.UNKNOWN, message="unit not found")),
        (UnitState(load="masked", active="inactive"), ServiceRun(state=RunState.UNKNOWN, message="unit is masked")),
        (UnitState(load="loaded", active="reloading"), ServiceRun(state=RunState.RUNNING)),
        (UnitState(load="loaded", active="deactivating"), ServiceRun(state=RunState.STOPPING)),
        (
            UnitState(load="loaded", active="inactive", result="success"),
            ServiceRun(state=RunState.GONE, message="inactive"),
        ),
        (
            UnitState(load="loaded", active="failed", result="exit-code", exit_status=2),
            ServiceRun(state=RunState.GONE, message="failed: exit-code, status 2"),
        ),
        (
            UnitState(load="loaded", active="activating", sub="auto-restart", result="signal"),
            ServiceRun(state=RunState.STARTING, message="systemd restarts it (activating: signal)"),
        ),
    ],
)
def test_what_a_units_state_means(state: UnitState, run: ServiceRun) -> None:
    assert run_of(state) == run


def test_a_frozen_unit_by_its_main_process() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        os.kill(process.pid, signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        run = run_of(UnitState(load="loaded", active="active", sub="running", main_pid=process.pid))
        assert (run.state, run.pid) == (RunState.FROZEN, process.pid)
        process.kill()


@pytest.mark.parametrize(
    ("state", "run"),
    [
        (UnitState(active="inactive", job=7, stopping=7), ServiceRun(state=RunState.STOPPING)),
        (UnitState(active="inactive", asked=True), ServiceRun(state=RunState.GONE, message=ASKED, asked=True)),
        (
            UnitState(active="failed", result="exit-code", asked=True),
            ServiceRun(state=RunState.GONE, message=ASKED, asked=True),
        ),
        (
            UnitState(active="inactive", ending=True),
            ServiceRun(state=RunState.STOPPING, message="the machine is shutting down"),
        ),
    ],
)
def test_who_stopped_a_unit_shows(state: UnitState, run: ServiceRun) -> None:
    assert run_of(state) == run


OUTSIDE = 7
UNIT = "web.service"


class Told:
    """A manager without a bus that is told what systemd's signals would."""

    def __init__(self) -> None:
        self.manager = SystemdManager()
        self.state = UnitState()

    async def watch(self) -> None:
        await self.manager.watch(UNIT, lambda state: setattr(self, "state", state))
        self.says("active")

    def says(self, active: str, job: int = 0) -> None:
        values = {"LoadState": "loaded", "ActiveState": active, "Job": (job, f"/job/{job}")}
        body = [f"{NAME}.Unit", {name: SimpleNamespace(value=value) for name, value in values.items()}]
        self.manager._heard(unit_path(UNIT), "PropertiesChanged", body)

    def removed(self, job: int, result: str = "done", unit: str = UNIT) -> None:
        self.manager._heard(PATH, "JobRemoved", [job, f"/job/{job}", unit, result])


async def test_a_job_whose_end_is_not_heard_keeps_nobody_waiting() -> None:
    told = Told()
    await told.watch()
    told.manager._acts[UNIT] = OUTSIDE
    for active in ("deactivating", "inactive"):
        told.says(active, OUTSIDE)
    assert told.state.stopping == OUTSIDE
    told.says("inactive")
    assert (told.state.stopping, told.state.asked) == (0, False)


async def test_a_stop_that_is_not_understood_is_no_wish() -> None:
    told = Told()
    await told.watch()
    told.says("deactivating", OUTSIDE)
    told.says("inactive", OUTSIDE)
    told.removed(OUTSIDE)
    assert told.state.stopping == OUTSIDE, "what it fell with is not known yet"
    await asyncio.gather(*told.manager._refreshing)
    assert (told.state.stopping, told.state.asked) == (0, False)


async def test_the_end_of_the_machine_is_no_wish_and_can_be_called_off() -> None:
    told = Told()
    await told.watch()
    told.manager._heard(PATH, "JobNew", [9, "/job/9", "shutdown.target"])
    told.says("inactive", OUTSIDE)
    told.removed(OUTSIDE)
    await asyncio.gather(*told.manager._refreshing)
    assert (told.state.ending, told.state.asked) == (True, False)
    told.removed(9, "canceled", "shutdown.target")
    assert run_of(replace(told.state, missing="")).state is RunState.GONE
