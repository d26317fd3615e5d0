"""Faults in, healed services out: the whole drill as a user runs it, and what is left of it when it is broken off."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from autonomyd.drill.scenarios import SCENARIOS
from autonomyd.drill.verdict import Kind
from autonomyd.host.process import all_pids, cmdline, read_process, working_folder

ROOT = Path(__file__).parents[2]
DRILL = [sys.executable, "-m", "autonomyd.cli.daemon", "drill"]
FAULTS = (
    "killed", "exited", "three-killed", "dependency-killed", "hung", "deadlocked", "wrong-answers", "frozen",
    "dependency-frozen", "zombie-growth", "errors-in-log", "stale-pid-file", "orphan-on-port", "config-unparsable",
    "config-breaks", "release-wrong", "log-disk-full", "daemon-then-service", "killed-with-daemon", "disk-filling",
)  # fmt: skip
CONTROLS = (
    "blip-of-500s", "blip-frozen", "busy", "one-log-line", "config-edited", "release-deployed", "stopped-on-purpose",
    "restart-by-hand", "dependency-restarted", "daemon-killed",
)  # fmt: skip
"""Those that tell most in little time; `make drill` plays all."""
ANNOUNCED = ("errors-after-edit", "dependency-dies")
"""Those that announce themselves within a minute: they wait side by side."""
JOBS = "4"
JOBS_UNHEALED = "5"
DRILL_WITHIN_S = 180.0
QUICK_S = 120.0
ENDS_WITHIN_S = 20.0
ANSWERS_WITHIN_S = 2.0
"""Generous: on a quiet machine it is under 0.1 s."""


def environment(scratch: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(scratch)}


def processes_in(folder: Path) -> list[int]:
    """Pids of living processes that work in `folder` or have it in their command line."""
    return [pid for pid in all_pids() if is_alive(pid) and (works_in(pid, folder) or named_by(pid, folder))]


def works_in(pid: int, folder: Path) -> bool:
    return str(working_folder(pid)).startswith(str(folder))


def named_by(pid: int, folder: Path) -> bool:
    return str(folder) in " ".join(cmdline(pid))


def is_alive(pid: int) -> bool:
    facts = read_process(pid)
    return facts is not None and not facts.is_dead


def run_drill(scratch: Path, *arguments: str) -> dict[str, Any]:
    """What the drill reports, with its exit code."""
    done = subprocess.run(
        [*DRILL, "--json", *arguments],
        env=environment(scratch),
        capture_output=True,
        text=True,
        timeout=DRILL_WITHIN_S,
    )
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    found["code"] = done.returncode
    return found


def complaints(report: dict[str, Any]) -> dict[str, Any]:
    """What is wrong with each scenario that was not good, and the end of its daemon's log."""
    keys = ("problems", "false_acts", "collateral", "starts", "log")
    return {each["name"]: [each[key] for key in keys] for each in report["scenarios"] if not each["good"]}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("d")


@pytest.fixture(scope="module")
def report(scratch: Path) -> dict[str, Any]:
    names = [word for name in (*FAULTS, *CONTROLS) for word in ("--only", name)]
    return run_drill(scratch, "--jobs", JOBS, *names)


def test_every_fault_is_healed_and_every_control_left_alone(report: dict[str, Any]) -> None:
    assert complaints(report) == {}
    assert report["recovered"] == report["faults"] == len(FAULTS) - report["skipped"]
    assert report["left_alone"] == report["controls"] == len(CONTROLS)
    assert report["false_acts"] == 0
    assert report["code"] == 0


def test_only_what_needs_a_mount_is_left_out(report: dict[str, Any]) -> None:
    assert {each["name"] for each in report["scenarios"] if each["skipped"]} <= {"log-disk-full"}


def test_no_bystander_notices(report: dict[str, Any]) -> None:
    assert [each["collateral"] for each in report["scenarios"] if each["collateral"]] == []


def test_a_service_that_dies_answers_again_soon(report: dict[str, Any]) -> None:
    after = {each["name"]: each["recovered_after_s"] for each in report["scenarios"]}
    assert after["killed"] < ANSWERS_WITHIN_S
    assert after["exited"] < ANSWERS_WITHIN_S


def test_it_is_quick(report: dict[str, Any]) -> None:
    assert report["took_s"] < QUICK_S


def test_nothing_is_left_of_it(report: dict[str, Any], scratch: Path) -> None:
    assert processes_in(scratch) == []
    assert list(scratch.iterdir()) == []


def test_what_announces_itself_is_foretold_or_rightly_explained(tmp_path: Path) -> None:
    names = [word for name in ANNOUNCED for word in ("--only", name)]
    shown = run_drill(tmp_path, "--jobs", str(len(ANNOUNCED)), *names)
    assert complaints(shown) == {}
    assert shown["foretold"] == shown["announced"] == len(ANNOUNCED)
    assert shown["code"] == 0
    after = {each["name"]: each for each in shown["scenarios"]}
    assert "web.toml changed" in after["errors-after-edit"]["note"]
    assert "redis" in after["dependency-dies"]["note"]


def test_every_fault_breaks_what_it_should_while_nobody_heals(tmp_path: Path) -> None:
    shown = run_drill(tmp_path, "--unhealed", "--jobs", JOBS_UNHEALED)
    assert complaints(shown) == {}
    assert shown["broken"] == shown["faults"] >= sum(each.kind is Kind.FAULT for each in SCENARIOS) - 3
    assert shown["recovered"] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_breaking_it_off_ends_everything_that_it_started(tmp_path: Path, number: signal.Signals) -> None:
    # a shell ignores SIGINT for what it runs in the background, and that is handed down: here it must arrive
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    drill = subprocess.Popen(
        [*DRILL, "--only", "hung", "--only", "busy"],
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    signal.signal(signal.SIGINT, before)
    try:
        deadline = time.monotonic() + ENDS_WITHIN_S
        while len(processes_in(tmp_path)) < 4 and time.monotonic() < deadline:  # two daemons and some services
            time.sleep(0.05)
        assert len(processes_in(tmp_path)) >= 4
        drill.send_signal(number)
        assert drill.wait(ENDS_WITHIN_S) == 130
    finally:
        drill.kill()
        drill.wait()
    assert processes_in(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
