"""The control socket and the lock: whose they are, who may not have them, and who is told to have asked."""

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from autonomyd.control.client import ApiError, Client
from autonomyd.drill.services import ServiceSpec
from tests.boxes.daemon import DaemonBox

CANT_CREATE, TRY_LATER, CONFIG = 73, 75, 78


@pytest.fixture
def box(tmp_path: Path) -> Iterator[DaemonBox]:
    made = DaemonBox(tmp_path)
    made.configure(intervals="")
    yield made
    made.close()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[DaemonBox]:
    folder = tmp_path / "other"
    folder.mkdir()
    made = DaemonBox(folder)
    made.configure(intervals="")
    yield made
    made.close()


def test_a_second_daemon_is_refused_and_told_who_runs(box: DaemonBox) -> None:
    box.start()
    second = box.run("-c", str(box.config), "--socket", str(box.folder / "second.sock"))
    assert second.returncode == TRY_LATER
    assert str(box.process.pid) in second.stderr
    assert not (box.folder / "second.sock").exists()
    assert box.status()["daemon"]["pid"] == box.process.pid


def test_a_socket_on_which_another_daemon_answers_is_left_to_it(box: DaemonBox, other: DaemonBox) -> None:
    box.start()
    refused = other.run("-c", str(other.config), "--socket", str(box.socket))
    assert refused.returncode == CANT_CREATE
    assert "another daemon answers" in refused.stdout + refused.stderr
    assert str(box.socket) in refused.stdout + refused.stderr
    assert box.status()["daemon"]["pid"] == box.process.pid
    other.start()  # the refused one left neither its lock nor anything else behind


def test_a_file_at_the_path_is_not_touched(box: DaemonBox) -> None:
    box.socket.write_text("mine")
    refused = box.run()
    assert refused.returncode == CANT_CREATE
    assert "not a socket" in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr
    assert box.socket.read_text() == "mine"


def test_a_dead_socket_is_replaced_also_after_a_kill(box: DaemonBox) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(box.socket))
    box.start()
    box.kill()
    assert box.socket.exists()
    box.start()
    assert box.status()["daemon"]["socket"] == str(box.socket)


def test_a_path_that_is_too_long_is_refused_before_anything_is_made(box: DaemonBox) -> None:
    refused = box.run("-c", str(box.config), "--socket", "/tmp/" + "x" * 120)
    assert refused.returncode == CONFIG
    assert "107" in refused.stderr
    assert not box.state_dir.exists()


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="needs Linux")
def test_the_mode_is_0660_and_who_asks_is_on_record(box: DaemonBox) -> None:
    box.make_services(ServiceSpec(name="web"))
    box.configure()
    box.start()
    assert stat.S_IMODE(box.socket.stat().st_mode) == 0o660
    assert stat.S_IMODE(box.state_dir.stat().st_mode) & 0o007 == 0
    actor = f"uid={os.getuid()} pid={os.getpid()}"
    assert box.post("/v1/pause", reason="lunch")["actor"] == actor
    assert box.status()["pause"]["actor"] == actor
    box.post("/v1/resume")
    box.until_state("web")
    assert box.post("/v1/services/web/stop")["fix"]["actor"] == actor
    assert any(event["kind"] == "service_stop_requested" and event["actor"] == actor for event in box.events())


def test_words_that_are_wrong_get_an_answer_with_a_hint(box: DaemonBox) -> None:
    box.make_services(ServiceSpec(name="web"))
    box.configure()
    box.start()
    for path, status, words in [
        ("/v1/services/wbe/start", 404, "did you mean 'web'"),
        ("/v1/services/web/kill", 400, "start, stop, restart"),
    ]:
        with pytest.raises(ApiError) as refused:
            box.post(path)
        assert refused.value.status == status
        assert words in f"{refused.value.message} {refused.value.hint}"
    with pytest.raises(ApiError):
        Client(str(box.socket)).get("/v1/nothing")
