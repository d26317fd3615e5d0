"""A real daemon that asks, is in shadow mode, and learns: with the answers of a person over the socket."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autonomyd.control.client import ApiError
from autonomyd.drill.services import ServiceSpec
from tests.boxes.daemon import FAST, DaemonBox, environment, until

ME = f"uid={os.getuid()} pid={os.getpid()}"
SPECS = (
    ServiceSpec(name="asks", settings={"autonomy": '"ask"'}),
    ServiceSpec(name="denied", settings={"autonomy": '"ask"'}),
    ServiceSpec(name="always", settings={"autonomy": '"ask"'}),
    ServiceSpec(name="shadow", settings={"autonomy": '"shadow"', "verify_s": "600.0"}),
    ServiceSpec(name="window"),
)
ALWAYS_OPEN = '[[services.window.maintenance]]\nbegin = "00:00"\nend = "00:00"\nreason = "release night"\n'


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonBox]:
    made = DaemonBox(tmp_path_factory.mktemp("trust"))
    made.make_services(*SPECS)
    made.configure(ALWAYS_OPEN, intervals=FAST)
    made.start()
    for spec in SPECS:
        made.post(f"/v1/services/{spec.name}/start")
        made.until_state(spec.name)
    yield made
    made.close()


def kill(box: DaemonBox, name: str) -> int:
    pid: int = box.service(name)["pid"]
    os.kill(pid, signal.SIGKILL)
    return pid


def replaced(box: DaemonBox, name: str, pid: int) -> int | None:
    """The pid of the process that took the place of `pid`."""
    now: int | None = box.service(name)["pid"]
    return now if now != pid else None


def asked(box: DaemonBox, name: str) -> Any:
    def mine() -> Any:
        return [each for each in box.get("/v1/approvals") if each["plan"]["service"] == name]

    (found,) = until(mine, f"{name} is asked about")
    return found


def refusal_of(box: DaemonBox, name: str) -> Any:
    found = [each for each in box.status()["issues"] if each["issue"]["subject"] == f"service:{name}"]
    return found[0]["refusal"] if found else None


def lessons_of(box: DaemonBox, name: str) -> list[Any]:
    return [each for each in box.get("/v1/outcomes") if each["service"] == name]


def ctl(box: DaemonBox, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "autonomyd.cli.ctl", "--socket", str(box.socket), *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=30)


def test_what_was_approved_is_done_in_the_name_of_who_approved(box: DaemonBox) -> None:
    pid = kill(box, "asks")
    waiting = asked(box, "asks")
    assert (waiting["state"], waiting["default"]) == ("waiting", "nothing is done")
    assert box.service("asks")["pid"] is None, "nothing is done without an answer"
    assert all(gate["passed"] for gate in waiting["plan"]["gates"] if gate["gate"] != "autonomy")
    answer = box.post(f"/v1/approvals/{waiting['id']}/approve")
    assert answer["begun"]
    until(lambda: box.service("asks")["pid"] not in (None, pid), "it was started")
    (fix,) = until(lambda: [each for each in box.fixes() if each["plan"]["approval"] == waiting["id"]], "the fix")
    assert fix["actor"] == ME
    assert {move["actor"] for move in fix["transitions"]} == {ME}
    (lesson,) = until(lambda: lessons_of(box, "asks"), "the outcome was learned from")
    assert (lesson["kind"], lesson["strategy"], lesson["actor"]) == ("healed", "start", ME)
    decided = next(each for each in box.get("/v1/approvals", all=1) if each["id"] == waiting["id"])
    assert (decided["state"], decided["actor"]) == ("used", ME)
    with pytest.raises(ApiError) as late:
        box.post(f"/v1/approvals/{waiting['id']}/approve")
    assert late.value.status == 404


def test_a_no_is_respected_over_a_restart_of_the_daemon(box: DaemonBox) -> None:
    kill(box, "denied")
    number = asked(box, "denied")["id"]
    done = ctl(box, "deny", str(number))
    assert (done.returncode, f"#{number}" in done.stdout) == (0, True)
    until(lambda: refusal_of(box, "denied")["reason"] == "no_strategy", "there is nothing else to do")
    assert "denied" in refusal_of(box, "denied")["message"]
    (lesson,) = lessons_of(box, "denied")
    assert lesson["kind"] == "denied"
    box.end()
    box.start()
    until(lambda: refusal_of(box, "denied"), "it was judged again")
    assert refusal_of(box, "denied")["reason"] == "no_strategy"
    assert box.service("denied")["pid"] is None
    assert [each["kind"] for each in lessons_of(box, "denied")] == ["denied"]
    box.post("/v1/services/denied/start")


def test_always_needs_no_answer_the_next_time_until_it_is_revoked(box: DaemonBox) -> None:
    first = kill(box, "always")
    done = ctl(box, "always", str(asked(box, "always")["id"]))
    assert done.returncode == 0, done.stderr
    until(lambda: box.service("always")["pid"] not in (None, first), "it was started")
    box.until_state("always")
    until(lambda: not refusal_of(box, "always") and len(lessons_of(box, "always")) == 1, "it was verified")
    second = kill(box, "always")
    until(lambda: box.service("always")["pid"] not in (None, second), "it was started without a question")
    assert [each["strategy"] for each in box.get("/v1/consents")] == ["start"]
    assert "Allowed for good" in ctl(box, "trust").stdout
    assert ctl(box, "always", "--revoke", "always", "start").returncode == 0
    assert box.get("/v1/consents") == []
    assert ctl(box, "always", "--revoke", "always", "start").returncode == 5


def test_shadow_mode_scores_what_it_would_have_done(box: DaemonBox) -> None:
    def pending() -> Any:
        return [each for each in box.get("/v1/trust")["shadow"] if each["verdict"] == "pending"]

    def row() -> Any:
        return next(each for each in box.get("/v1/trust")["rows"] if each["service"] == "shadow")

    box.until_state("shadow")
    right = row()["shadow_right"]  # it was not brought up either: a person did, and agreed
    kill(box, "shadow")
    (case,) = until(pending, "the case was noted")
    assert (case["plan"]["strategy"], case["plan"]["service"]) == ("start", "shadow")
    assert len(case["plan"]["gates"]) > 11
    assert box.service("shadow")["pid"] is None
    box.post("/v1/services/shadow/start")
    assert pending() == []
    assert (row()["shadow_right"], row()["shadow_total"], row()["level"]) == (right + 1, right + 1, "shadow")


def test_a_maintenance_window_holds_healing(box: DaemonBox) -> None:
    kill(box, "window")
    until(lambda: refusal_of(box, "window"), "it was judged")
    refusal = refusal_of(box, "window")
    assert (refusal["reason"], "release night" in refusal["message"]) == ("maintenance", True)
    assert box.service("window")["pid"] is None


def test_outcomes_are_exported_as_json_lines(box: DaemonBox) -> None:
    target = box.folder / "outcomes.jsonl"
    assert ctl(box, "outcomes", "--export", str(target)).returncode == 0
    lessons = [json.loads(line) for line in target.read_text().splitlines()]
    assert lessons == list(reversed(box.get("/v1/outcomes", limit=1000)))
    assert lessons
    assert "was right" in ctl(box, "trust", "--calibration").stdout.lower()


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/approvals/99/approve", 404), ("/v1/approvals/x/deny", 404), ("/v1/approvals/99/always", 404),
     ("/v1/consents/revoke", 404), ("/v1/trust/raise", 404), ("/v1/trust/release", 404)],
)  # fmt: skip
def test_what_is_not_there_is_told(box: DaemonBox, path: str, status: int) -> None:
    with pytest.raises(ApiError) as error:
        box.post(path, service="nobody", strategy="nothing")
    assert error.value.status == status
    assert error.value.hint


def test_a_tripped_breaker_stays_tripped_over_a_restart_until_a_person_resets_it(tmp_path: Path) -> None:
    box = DaemonBox(tmp_path)
    box.make_services(ServiceSpec(name="frozen"))
    box.configure(intervals="[healing]\nacts_per_hour_service = 1\nhealthy_reset_s = 0.1\n" + FAST)
    try:
        box.start()
        first = box.until_state("frozen")["pid"]
        os.kill(first, signal.SIGSTOP)
        second = until(lambda: replaced(box, "frozen", first), "the first freeze was healed")
        box.until_state("frozen")
        until(lambda: len(lessons_of(box, "frozen")) == 1, "the fix was verified")
        os.kill(second, signal.SIGSTOP)
        until(lambda: (refusal_of(box, "frozen") or {}).get("reason") == "blast_radius", "the budget is used up")
        box.end()
        os.kill(second, signal.SIGKILL)  # now it would even only have to be started
        box.start()
        until(lambda: (refusal_of(box, "frozen") or {}).get("reason") == "blast_radius", "it is still tripped")
        assert box.service("frozen")["pid"] is None
        box.post("/v1/resume")
        box.until_state("frozen")
    finally:
        box.close()
