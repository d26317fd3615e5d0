"""A real daemon, a service that it may not heal, and a real receiver: who needs to know is told, whatever dies."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autonomyd.drill.services import ServiceSpec
from tests.boxes.daemon import DaemonBox, environment, until
from tests.boxes.receiver import Receiver

pytest.importorskip("apprise", reason="Apprise is not installed: pip install 'autonomyd[alerts]'")

SECRET = "s3cret-Pa55"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def box(tmp_path: Path, receiver: Receiver) -> Iterator[DaemonBox]:
    made = DaemonBox(tmp_path)
    made.make_services(ServiceSpec(name="web", settings={"autonomy": '"ask"'}))
    configure(made, receiver)
    yield made
    made.close()


def configure(box: DaemonBox, receiver: Receiver, more: str = "") -> None:
    target = f"json://me:{SECRET}@127.0.0.1:{receiver.port}/hook"
    box.configure(f'[alerts]\ntargets = {{ team = {json.dumps(target)} }}\nmachine = "box"\nsettle_s = 0\n{more}')


def ctl(box: DaemonBox, *arguments: str) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-m", "autonomyd.cli.ctl", "--socket", str(box.socket), *arguments]
    return subprocess.run(argv, env=environment(), capture_output=True, text=True, timeout=60)


def told(receiver: Receiver, words: str) -> Any:
    return until(lambda: next((each for each in receiver.got if words in each["title"]), None), words)


def test_told_acknowledged_and_over(box: DaemonBox, receiver: Receiver) -> None:
    box.start()  # web does not run, and may not be started without a person
    message = told(receiver, "web")
    assert "What to do:" in message["message"]
    (alert,) = box.get("/v1/alerts")["now"]["open"]
    assert f"`autonomyctl ack {alert['id']} --for 2h`" in message["message"]

    done = ctl(box, "ack", str(alert["id"]), "--for", "2h", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["acked_by"].startswith(f"uid={os.getuid()} pid=")
    assert ctl(box, "ack", "999").returncode == 5
    assert "looks after it" in ctl(box, "alerts").stdout

    box.post("/v1/services/web/start")
    over = told(receiver, "Over: ")
    assert over["type"] == "success"
    assert over["title"].rpartition("(")[2] == message["title"].rpartition("(")[2]
    assert box.get("/v1/alerts")["now"]["open"] == []
    assert {"alert_opened", "alert_acknowledged", "alert_recovered"} <= {each["kind"] for each in box.events()}
    shown = "".join((json.dumps(box.get("/v1/config")), json.dumps(box.get("/v1/alerts")), box.said()))
    assert SECRET not in shown


def test_a_message_outlives_the_daemon(box: DaemonBox, receiver: Receiver) -> None:
    receiver.down()
    box.start()
    until(lambda: box.get("/v1/alerts")["now"]["targets"]["team"]["failures"], "a failed try")
    assert "can't be told" in ctl(box, "status").stdout
    box.kill()
    receiver.up()
    box.start()
    told(receiver, "web")
    until(lambda: box.get("/v1/alerts")["now"]["waiting"] == 0, "nothing waits")
    assert len([each for each in box.get("/v1/alerts")["messages"] if each["state"] == "sent"]) == 1


def test_killed_while_it_sends(box: DaemonBox, receiver: Receiver) -> None:
    receiver.hangs = True
    box.start()
    until(lambda: receiver.got, "the message is on its way")
    box.kill()
    receiver.hangs = False
    before = len(receiver.got)
    box.start()
    until(lambda: len(receiver.got) > before, "it is sent again")
    assert receiver.got[-1]["title"] == receiver.got[0]["title"]


def test_every_target_is_tested(box: DaemonBox, receiver: Receiver) -> None:
    box.start()
    done = ctl(box, "alerts", "--test", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, [{"target": "team", "ok": True, "message": "sent"}])
    assert "[box] Test of alerts" in receiver.titles()
    receiver.status = 500
    done = ctl(box, "alerts", "--test")
    assert done.returncode == 1
    assert "500" in done.stdout
    assert SECRET not in done.stdout


def test_without_a_target_a_test_says_so(box: DaemonBox) -> None:
    box.configure()
    box.start()
    done = ctl(box, "alerts", "--test")
    assert done.returncode == 5
    assert "no target is configured" in done.stderr
    assert "set [alerts] targets" in ctl(box, "alerts").stdout
    assert "Nothing had to be healed" in ctl(box, "alerts", "digest").stdout


def test_pings_a_dead_man_switch(box: DaemonBox, receiver: Receiver) -> None:
    configure(box, receiver, f"ping_url = {json.dumps(receiver.url)}\nping_every_s = 0.2\n")
    box.start()
    until(lambda: len(receiver.asked) >= 3, "three pings")
    box.signal(signal.SIGSTOP)
    time.sleep(0.3)  # one may be under way
    before = len(receiver.asked)
    time.sleep(1.0)
    assert len(receiver.asked) == before
    box.signal(signal.SIGCONT)
    until(lambda: len(receiver.asked) > before, "pings again")


def test_a_reload_takes_over_targets(box: DaemonBox, receiver: Receiver) -> None:
    box.configure()
    box.start()
    assert box.get("/v1/alerts")["now"]["targets"] == {}
    configure(box, receiver)
    assert box.post("/v1/reload")["ok"]
    assert set(box.get("/v1/alerts")["now"]["targets"]) == {"team"}
    assert box.post("/v1/alerts/test")[0]["ok"]
