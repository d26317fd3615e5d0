"""A real daemon with a month of history: risks, predictions that come true, why-not, and what a decision rested on."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.cli import exits
from autonomyd.drill.services import ServiceSpec
from autonomyd.knowledge.issues import Issues
from autonomyd.knowledge.store import Store
from autonomyd.model.issue import IssueState
from autonomyd.testing import issue
from tests.boxes.daemon import DaemonBox, environment, until

DAY_S = 86400.0
DAYS = 28


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonBox]:
    made = DaemonBox(tmp_path_factory.mktemp("foretold"))
    made.make_services(ServiceSpec(name="web"), ServiceSpec(name="asks", settings={"autonomy": '"ask"'}))
    made.configure()
    made.state_dir.mkdir()
    asyncio.run(_a_month(made.state_dir))
    made.start()
    for name in ("web", "asks"):
        made.post(f"/v1/services/{name}/start")
        made.until_state(name)
    yield made
    made.close()


async def _a_month(folder: Path) -> None:
    """`web` has gone down once a day, the last time 20 hours ago."""
    clock = SystemClock()
    store = await Store.open(str(folder / "state.db"), clock=clock)
    issues, now = Issues(store), clock.wall()
    for day in range(DAYS):
        at = now - (DAYS - 1 - day) * DAY_S - 20.0 * 3600.0
        over: dict[str, Any] = {
            "state": IssueState.RESOLVED,
            "opened_at": at,
            "updated_at": at + 9.0,
            "resolved_at": at + 9.0,
        }
        await issues.save(issue(id=issues.next_id(), **over))
    await store.close()


def ctl(box: DaemonBox, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "autonomyd.cli.ctl", "--socket", str(box.socket), *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=30, check=False)


def told(box: DaemonBox, *words: str) -> Any:
    answer = ctl(box, *words, "--json")
    assert answer.returncode == exits.OK, answer.stderr
    return json.loads(answer.stdout)


def asks_is_down(box: DaemonBox) -> str:
    def open_issue() -> str:
        found = [each["issue"] for each in box.get("/v1/issues") if each["issue"]["subject"] == "service:asks"]
        return str(found[0]["id"]) if found and found[0]["state"] == "refused" else ""

    pid = box.service("asks")["pid"]
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    return until(open_issue, "an issue that waits for a word")


def test_the_risk_is_learned_from_the_recorded_history(box: DaemonBox) -> None:
    report = told(box, "risk")
    web = next(each for each in report["rows"] if each["key"]["name"] == "service_down process")
    assert (web["key"]["subject"], web["used"]) == ("service:web", "gaps")
    assert web["count"] >= DAYS
    assert web["gaps"]["cases"] >= DAYS - 3
    assert web["gaps"]["brier"] < web["frequency"]["brier"]
    assert report["k"] == 4.0
    assert "service:web" in ctl(box, "risk").stdout


def test_what_was_foretold_comes_true_and_survives_a_crash(box: DaemonBox) -> None:
    (foretold,) = told(box, "predictions")["open"]
    assert foretold["probability"] >= 0.7
    box.kill()
    box.start()
    assert [each["id"] for each in told(box, "predictions")["open"]] == [foretold["id"]]
    os.kill(until(lambda: box.service("web")["pid"], "web runs"), signal.SIGKILL)
    until(lambda: told(box, "predictions")["right"], "what was foretold comes")
    report = told(box, "predictions", "--all")
    assert report["judged"][0]["verdict"] == "right"
    assert report["precision"] == 1.0
    assert "right" in ctl(box, "predictions").stdout


def test_an_unknown_remedy_is_told_of_without_a_problem(box: DaemonBox) -> None:
    answer = ctl(box, "why-not", "sart")
    assert answer.returncode == exits.REFUSED
    assert "start" in answer.stderr


def test_why_not_tells_gate_and_order(box: DaemonBox) -> None:
    number = asks_is_down(box)
    answer = told(box, "why-not", number)
    start = answer["verdicts"][0]
    assert (start["strategy"], start["standing"], start["gate"]) == ("start", "chosen", "autonomy")
    named = {each["strategy"] for each in answer["verdicts"]}
    assert named == {each["name"] for each in box.get("/v1/playbooks")["playbooks"]}
    text = ctl(box, "why-not", number, "kill-and-start").stdout
    assert "other cause" in text
    assert int(number) in [each["issue_id"] for each in told(box, "why-not", "restart")]


def test_asking_changes_nothing(box: DaemonBox) -> None:
    number = asks_is_down(box)
    before = box.get(f"/v1/issues/{number}")
    for _ in range(3):
        told(box, "why-not", number)
    after = box.get(f"/v1/issues/{number}")
    assert after["transitions"] == before["transitions"]
    assert after["fixes"] == before["fixes"]


@pytest.mark.parametrize(
    ("words", "meant"),
    [(("sart",), "start"), (("99999",), "There are"), (("no-such-thing-at-all",), "There are")],
)
def test_unknown_names_are_answered_with_what_may_be_meant(box: DaemonBox, words: tuple[str, ...], meant: str) -> None:
    asks_is_down(box)
    answer = ctl(box, "why-not", *words)
    assert answer.returncode == exits.REFUSED
    assert meant in answer.stderr


def test_explain_shows_what_the_decision_rested_on(box: DaemonBox) -> None:
    number = asks_is_down(box)
    context = told(box, "explain", number)["decision"]["context"]
    assert context["state"].startswith("asks is down, its process gone")
    assert "autonomy ask" in context["preferences"]
    assert "What it rested on" in ctl(box, "explain", number).stdout
