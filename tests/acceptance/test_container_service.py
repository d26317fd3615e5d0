"""The real daemon with a container for a service: faults in, a healed container out."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autonomyd.host.containers.recreate import ASIDE
from tests.boxes.containers import ContainerBox, container_box
from tests.boxes.daemon import DaemonBox, until

WEB = """
[containers]
socket = "{socket}"
[services.web]
control = {{ type = "container", name = "web", stop_timeout_s = 3.0 }}
start_grace_s = 2.0
checks = [{{ type = "container", every_s = 0.5, failures = 2 }}]
"""
KILLED_WITHIN_S = 5.0
"""A generous bound for a busy machine; the measured time is a tenth of it."""


@pytest.fixture(scope="module")
def engine() -> Iterator[ContainerBox]:
    with container_box("acceptance") as box:
        yield box


@pytest.fixture
def box(tmp_path: Path, engine: ContainerBox) -> Iterator[DaemonBox]:
    daemon = DaemonBox(tmp_path)
    daemon.configure(WEB.format(socket=engine.socket))
    yield daemon
    daemon.close()
    engine.remove_all()


def test_a_killed_container_runs_again(box: DaemonBox, engine: ContainerBox) -> None:
    engine.make("web")
    box.start().until_state("web")
    before = engine.pid("web")
    began = time.monotonic()
    os.kill(before, signal.SIGKILL)
    until(lambda: engine.pid("web") not in (0, before), "another process")
    running_s = time.monotonic() - began
    box.until_state("web")
    healthy_s = time.monotonic() - began
    print(f"killed container: running again after {running_s:.2f} s, seen healthy after {healthy_s:.2f} s")
    assert running_s < KILLED_WITHIN_S
    fix = until(lambda: [each for each in box.fixes() if each["outcome"]], "the end of the fix")[0]
    assert (fix["plan"]["strategy"], fix["outcome"]) == ("start", "healed")


def test_a_person_who_stops_and_starts_it_is_respected(box: DaemonBox, engine: ContainerBox) -> None:
    engine.make("web")
    box.start().until_state("web")
    engine.post("/containers/web/stop", t="2")
    box.until_state("web", "stopped")
    assert box.fixes() == []
    engine.post("/containers/web/start")
    box.until_state("web")
    assert box.fixes() == []
    assert [each["message"] for each in box.events() if each["kind"].endswith("_outside")] == [
        "started through container",
        "stopped through container",
    ]


def test_a_daemon_that_was_killed_takes_the_running_container_over(box: DaemonBox, engine: ContainerBox) -> None:
    engine.make("web")
    box.start().until_state("web")
    pid = engine.pid("web")
    box.kill()
    box.start().until_state("web")
    assert engine.pid("web") == pid
    assert box.fixes() == []


def test_an_engine_that_is_away_makes_nobody_act(box: DaemonBox, engine: ContainerBox) -> None:
    engine.make("web")
    box.start().until_state("web")
    pid = engine.pid("web")
    try:
        engine.halt()
        service = box.until_state("web", "unknown")
    finally:
        engine.start()
    assert "container engine" in service["message"]
    box.until_state("web")
    assert engine.pid("web") == pid
    assert (box.fixes(), box.issues()) == ([], [])


@pytest.fixture
def broken_layer(engine: ContainerBox) -> Iterator[str]:
    """The id of a container that can be broken in its own layer, which outlives a restart and not a new container; its
    health check runs over and over."""
    ident = engine.make("web", Healthcheck={"Test": ["CMD-SHELL", "test ! -e /tmp/broken"], "Retries": 1})
    ended = threading.Event()

    def look_after_health() -> None:
        while not ended.is_set():
            engine.health("web")

    health = threading.Thread(target=look_after_health)
    health.start()
    yield ident
    ended.set()
    health.join()


def break_layer(engine: ContainerBox) -> None:
    Path(f"/proc/{engine.pid('web')}/root/tmp/broken").touch()


def test_what_a_restart_does_not_heal_is_made_anew(box: DaemonBox, engine: ContainerBox, broken_layer: str) -> None:
    box.start().until_state("web")
    break_layer(engine)
    healed = until(lambda: [each for each in box.fixes() if each["outcome"] == "healed"], "a fix that heals",
                   within_s=60.0)  # fmt: skip
    assert healed[0]["plan"]["strategy"] == "recreate-container"
    until(lambda: engine.names() == {"web"}, "the removal of the old container")
    assert engine.ask("GET", "/containers/web/json")[1]["Id"] != broken_layer
    box.until_state("web")


def test_a_daemon_that_dies_while_it_makes_one_anew_leaves_none_down(
    box: DaemonBox, engine: ContainerBox, broken_layer: str
) -> None:
    box.start().until_state("web")
    break_layer(engine)
    until(lambda: "web" + ASIDE in engine.names(), "the old container put aside", within_s=60.0)
    box.kill()
    box.start()
    until(lambda: engine.names() == {"web"}, "one container", within_s=60.0)
    box.until_state("web", within_s=60.0)
    assert engine.state("web")["Status"] == "running"
