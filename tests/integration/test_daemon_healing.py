"""One real daemon over services that die, hang, freeze and leak: what is healed, left alone, and told."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from autonomyd.control.client import ApiError
from autonomyd.drill.services import ServiceSpec
from autonomyd.host.process import read_process
from tests.boxes.daemon import FAST, DaemonBox, until

HOG = "import sys, time\nheld = bytearray(60_000_000)\nheld[::4096] = b'x' * len(held[::4096])\nwhile 1: time.sleep(1)"
LEAN = "import time\nwhile 1: time.sleep(1)"
SERVICES = (
    ServiceSpec(name="killed"),
    ServiceSpec(name="hung"),
    ServiceSpec(name="frozen"),
    ServiceSpec(name="crashing", settings={"restart": "{ max = 2, within_s = 300.0 }"}),
    ServiceSpec(name="busy"),
    ServiceSpec(name="stopped"),
    ServiceSpec(name="paused"),
    ServiceSpec(name="observed", settings={"autonomy": '"observe"'}),
    ServiceSpec(name="db"),
    ServiceSpec(name="app", settings={"depends_on": '["db"]'}),
    ServiceSpec(name="front", settings={"depends_on": '["app"]'}),
)


def more(box: DaemonBox) -> str:
    """Services that are not of the drill: a leak, a heart that stops, a command that forks, a check that can't."""
    folder, python = box.folder, sys.executable
    script = folder / "leaky.py"
    script.write_text(f"import os\nexec({HOG!r} if os.path.exists({str(folder / 'leak')!r}) else {LEAN!r})")
    beating = folder / "beating.py"
    beating.write_text(
        f"import pathlib, time\nfile = pathlib.Path({str(folder / 'beat')!r})\nbefore = file.with_suffix('.stuck')\n"
        "before.unlink(missing_ok=True)\nwhile 1:\n    before.exists() or file.touch()\n    time.sleep(0.1)"
    )
    starts = folder / "forking.py"
    starts.write_text(
        "import os, subprocess, sys\n"
        f"made = subprocess.Popen([sys.executable, '-c', {LEAN!r}], start_new_session=True, "
        "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        f"open({str(folder / 'cmd.pid')!r}, 'w').write(str(made.pid))\n"
    )
    words, pidfile = json.dumps, str(folder / "cmd.pid")
    start = words([python, str(starts)])
    return f"""
[services.leaky]
control = {{ type = "process", command = [{words(python)}, {words(str(script))}] }}
limits = {{ rss_mb = 30, for_s = 1.0 }}
check_every_s = 0.5
[services.beating]
control = {{ type = "process", command = [{words(python)}, {words(str(beating))}] }}
checks = [{{ type = "heartbeat", file = {words(str(folder / "beat"))}, max_age_s = 1.0, every_s = 0.5 }}]
[services.forking]
control = {{ type = "command", start = {start}, pidfile = {words(pidfile)}, stop_timeout_s = 2.0 }}
check_every_s = 0.5
[services.unsure]
control = {{ type = "process", command = ["sleep", "10000"] }}
start_grace_s = 1.0
checks = [{{ type = "command", argv = ["/no/such/plugin"], every_s = 0.5, failures = 1 }}]
"""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonBox]:
    made = DaemonBox(tmp_path_factory.mktemp("healing"))
    made.make_services(*SERVICES)
    made.configure(more(made), intervals="[healing]\npark_retry_s = 600.0\n" + FAST)
    made.start()
    for name in made.get("/v1/services"):
        if name not in ("observed", "forking"):
            made.until_state(name)
    yield made
    pid = made.service("forking")["pid"]
    made.close()
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


def issues_of(box: DaemonBox, name: str, *, opened: bool = False) -> list[Any]:
    found = box.status()["issues"] if opened else box.issues()
    return [each["issue"] for each in found if each["issue"]["subject"] == f"service:{name}"]


def fixes_of(box: DaemonBox, name: str, actor: str = "autonomyd") -> list[Any]:
    return [fix for fix in box.fixes() if fix["plan"]["service"] == name and fix["actor"] == actor]


def turns(box: DaemonBox, count: int = 3) -> None:
    """Wait until healing has had that many turns."""
    before = box.status()["loops"]["healing"]["runs"]
    until(lambda: box.status()["loops"]["healing"]["runs"] >= before + count, "healing's turns")


def healed(box: DaemonBox, name: str, *, pid: int, strategy: str) -> Any:
    """Wait until another process took the place of `pid`; returns the explanation of its issue."""
    until(lambda: box.service(name)["pid"] not in (None, pid), f"{name} has another process")
    box.until_state(name)
    until(lambda: not issues_of(box, name, opened=True), f"the issue of {name} is closed")
    (issue,) = issues_of(box, name)
    assert issue["state"] == "resolved"
    story = box.get(f"/v1/issues/{issue['id']}")
    assert story["kind"] == "plan"
    assert [fix["outcome"] for fix in story["fixes"]] == ["healed"]
    assert story["fixes"][0]["plan"]["strategy"] == strategy
    states = [move["after"] for move in story["fixes"][0]["transitions"]]
    assert states == [
        "planned", "approved", "backed_up", "applying", "applied", "validating", "committed",
    ]  # fmt: skip
    moves = [move["after"] for move in story["transitions"]]
    assert moves[-4:] == ["planned", "fixing", "verifying", "resolved"]
    assert all(gate["passed"] for gate in story["decision"]["gates"])
    return story


def test_killed_it_is_started_within_half_a_second(box: DaemonBox) -> None:
    pid = box.service("killed")["pid"]
    began = time.monotonic()
    box.services["killed"].signal(signal.SIGKILL)
    until(box.services["killed"].ask, "an answer")
    took_s = time.monotonic() - began
    story = healed(box, "killed", pid=pid, strategy="start")
    assert took_s < 3.0, took_s  # 0.5 s on a machine that does nothing else
    assert story["diagnosis"]["causes"][0]["cause"] == "process_gone"
    assert "SIGKILL" in story["issue"]["summary"]


def test_hung_it_is_restarted_for_signals_that_explain_names(box: DaemonBox) -> None:
    pid = box.service("hung")["pid"]
    box.services["hung"].ask("/hang")
    story = healed(box, "hung", pid=pid, strategy=story_strategy(box, "hung"))
    assert story["fixes"][0]["plan"]["strategy"] in ("restart", "kill-and-start")
    assert len(story["diagnosis"]["signals"]) >= 2
    gate = next(gate for gate in story["decision"]["gates"] if gate["gate"] == "signals")
    assert gate["saw"]
    assert box.services["hung"].alive() == (box.service("hung")["pid"],)


def story_strategy(box: DaemonBox, name: str) -> str:
    """The strategy that was chosen, once one was."""
    (fix, *_) = until(lambda: fixes_of(box, name), f"a fix of {name}")
    return str(fix["plan"]["strategy"])


def test_frozen_it_is_killed_and_started(box: DaemonBox) -> None:
    pid = box.services["frozen"].signal(signal.SIGSTOP)
    story = healed(box, "frozen", pid=pid, strategy="kill-and-start")
    assert "frozen" in story["issue"]["summary"]


def test_a_service_that_dies_at_every_start_is_parked_with_a_next_try(box: DaemonBox) -> None:
    service = box.services["crashing"]
    service.flag("crash")
    service.signal(signal.SIGKILL)
    until(lambda: [each for each in issues_of(box, "crashing", opened=True) if each["state"] == "parked"], "parked")
    (issue,) = issues_of(box, "crashing", opened=True)
    status = box.status()
    assert issue["next_try_at"] == pytest.approx(status["at"] + 600.0, abs=60.0)
    assert box.service("crashing")["next_try_at"] == issue["next_try_at"]
    count = len(fixes_of(box, "crashing"))
    assert count == 2
    turns(box)
    assert len(fixes_of(box, "crashing")) == count
    story = box.get(f"/v1/issues/{issue['id']}")
    assert story["decision"]["reason"] == "restart_limit"
    assert "tried again" in story["next"]
    assert status["health"]["status"] != "healthy"
    (service.folder / "crash").unlink()
    box.post("/v1/resume")  # a person says: try again
    box.until_state("crashing")
    until(lambda: not issues_of(box, "crashing", opened=True), "its issue is closed")


def test_a_busy_one_is_left_alone(box: DaemonBox) -> None:
    pid = box.service("busy")["pid"]
    box.services["busy"].ask("/busy", timeout_s=5.0)
    until(lambda: (box.service("busy")["metrics"].get("cpu_percent") or 0) > 20, "it is busy")
    turns(box, 4)
    box.services["busy"].ask("/calm", timeout_s=5.0)
    assert box.service("busy")["pid"] == pid
    assert fixes_of(box, "busy") == []


def test_a_persons_stop_is_respected_and_a_start_ends_it(box: DaemonBox) -> None:
    answer = box.post("/v1/services/stopped/stop")
    assert answer["fix"]["outcome"] == "healed"
    assert box.marked("stopped") == []
    turns(box)
    service = box.service("stopped")
    assert (service["state"], service["intent"]) == ("stopped", "stopped")
    assert issues_of(box, "stopped") == []
    assert fixes_of(box, "stopped") == []
    box.post("/v1/services/stopped/start")
    box.until_state("stopped")
    box.services["stopped"].signal(signal.SIGKILL)
    until(lambda: fixes_of(box, "stopped"), "healing is back")
    box.until_state("stopped")


def test_while_paused_nothing_is_done_and_afterwards_it_is(box: DaemonBox) -> None:
    box.post("/v1/pause", reason="release")
    try:
        box.services["paused"].signal(signal.SIGKILL)
        until(lambda: [each for each in issues_of(box, "paused", opened=True) if each["state"] == "refused"], "refused")
        turns(box)
        assert fixes_of(box, "paused") == []
        (issue,) = issues_of(box, "paused", opened=True)
        story = box.get(f"/v1/issues/{issue['id']}")
        assert story["decision"]["reason"] == "paused"
        assert "release" in story["decision"]["message"]
    finally:
        box.post("/v1/resume")
    box.until_state("paused")


def test_a_pause_for_a_time_ends_by_itself(box: DaemonBox) -> None:
    until(lambda: not issues_of(box, "paused", opened=True), "the issue of before is closed")
    paused = box.post("/v1/pause", for_s=1.5, reason="short")
    assert paused["until"] == pytest.approx(box.status()["at"] + 1.5, abs=1.0)
    box.services["paused"].signal(signal.SIGKILL)
    until(lambda: box.state("paused") == "down")
    assert box.status()["pause"]["paused"]
    box.until_state("paused", within_s=5.0)
    assert box.status()["pause"]["paused"] is False
    with pytest.raises(ApiError):
        box.post("/v1/pause", for_s=0)


def test_what_is_only_observed_is_told_and_not_touched(box: DaemonBox) -> None:
    until(lambda: issues_of(box, "observed", opened=True), "it is told that it is down")
    turns(box)
    assert box.marked("observed") == []
    (issue,) = issues_of(box, "observed", opened=True)
    assert box.get(f"/v1/issues/{issue['id']}")["decision"]["reason"] == "observe_only"
    box.post("/v1/services/observed/start")  # a person may
    box.until_state("observed")


def test_stop_and_start_follow_dependencies(box: DaemonBox) -> None:
    stopped = box.post("/v1/services/db/stop")["fix"]["plan"]["preview"]
    assert stopped == ["stop front", "stop app", "stop db"]
    assert {box.state(name) for name in ("db", "app", "front")} == {"stopped"}
    started = box.post("/v1/services/front/start")["fix"]["plan"]["preview"]
    assert started == ["start db", "start app", "start front"]
    for name in ("db", "app", "front"):
        box.until_state(name)
    assert {name: fixes_of(box, name) for name in ("db", "app", "front")} == {"db": [], "app": [], "front": []}


def test_a_leak_is_restarted_at_its_limit(box: DaemonBox) -> None:
    (box.folder / "leak").touch()
    box.post("/v1/services/leaky/restart")
    pid = box.service("leaky")["pid"]
    box.post("/v1/pause", reason="the next process must not find the leak any more")
    until(lambda: issues_of(box, "leaky", opened=True), "the limit is told")
    (box.folder / "leak").unlink()
    box.post("/v1/resume")
    story = healed(box, "leaky", pid=pid, strategy="restart")
    assert story["issue"]["type"] == "resource_exhaustion"
    assert story["issue"]["metric"] == "rss_mb"
    assert story["issue"]["value"] > 55
    assert story["issue"]["threshold"] == 30


def test_a_stopped_heart_is_noticed_and_healed(box: DaemonBox) -> None:
    pid = box.service("beating")["pid"]
    (box.folder / "beat.stuck").touch()
    until(lambda: issues_of(box, "beating", opened=True), "the missing heartbeat is told")
    (issue,) = issues_of(box, "beating", opened=True)
    until(lambda: box.get(f"/v1/issues/{issue['id']}")["decision"], "it is judged")
    story = box.get(f"/v1/issues/{issue['id']}")
    if story["kind"] == "refusal":
        assert story["decision"]["reason"] in ("too_few_signals", "undetermined"), story["why"]
        box.post("/v1/services/beating/restart")
    until(lambda: box.service("beating")["pid"] not in (None, pid), "another process")
    box.until_state("beating")


def test_a_service_of_commands_is_found_by_its_pid_file(box: DaemonBox) -> None:
    box.until_state("forking")
    pid = box.service("forking")["pid"]
    assert pid == int((box.folder / "cmd.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    healed_pid = until(
        lambda: box.service("forking")["pid"] not in (None, pid) and box.service("forking")["pid"], "again"
    )
    assert healed_pid == int((box.folder / "cmd.pid").read_text())
    box.post("/v1/services/forking/stop")
    assert box.service("forking")["pid"] is None
    facts = read_process(healed_pid)
    assert facts is None or facts.is_dead
    box.post("/v1/services/forking/start")
    box.until_state("forking")


def test_a_check_that_can_not_tell_opens_no_issue_and_is_said_once(box: DaemonBox) -> None:
    service = box.service("unsure")
    (check,) = service["checks"]
    assert check["state"] == "unknown"
    assert "/no/such/plugin" in check["message"]
    turns(box)
    assert issues_of(box, "unsure") == []
    assert fixes_of(box, "unsure") == []
    told = [line for line in box.said().splitlines() if "unsure.command" in line]
    assert len(told) == 1
    assert next(each for each in box.post("/v1/check") if each["probe"] == "unsure.command")["state"] == "unknown"


def test_nobody_is_orphaned_or_doubled(box: DaemonBox) -> None:
    """The last look of this file at all of them."""
    for name, service in box.services.items():
        box.until_state(name)
        assert service.alive() == (box.service(name)["pid"],)
        assert box.marked(name) == [box.service(name)["pid"]]
    assert {loop["failures"] for loop in box.status()["loops"].values()} == {0}
