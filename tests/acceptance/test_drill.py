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

from autonomyd.host.process import all_pids, cmdline, read_process

ROOT = Path(__file__).parents[2]
DRILL = [sys.executable, "-m", "autonomyd.cli.daemon", "drill"]
DRILL_WITHIN_S = 120.0
ENDS_WITHIN_S = 20.0
ANSWERS_WITHIN_S = 2.0
"""Generous: on a quiet machine it is under 0.1 s."""


def environment(scratch: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(scratch)}


def processes_in(folder: Path) -> list[int]:
    """Pids of living processes that have `folder` in their command line."""
    return [pid for pid in all_pids() if str(folder) in " ".join(cmdline(pid)) and is_alive(pid)]


def is_alive(pid: int) -> bool:
    facts = read_process(pid)
    return facts is not None and not facts.is_dead


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("d")


@pytest.fixture(scope="module")
def report(scratch: Path) -> dict[str, Any]:
    done = subprocess.run(
        [*DRILL, "--json"], env=environment(scratch), capture_output=True, text=True, timeout=DRILL_WITHIN_S
    )
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    found["code"] = done.returncode
    return found


def test_every_fault_is_healed_and_every_control_left_alone(report: dict[str, Any]) -> None:
    bad = {each["name"]: each for each in report["scenarios"] if not each["good"]}
    assert bad == {}
    assert report["recovered"] == report["faults"] == 8
    assert report["controls"] == 5
    assert report["false_acts"] == 0
    assert report["code"] == 0


def test_no_bystander_notices(report: dict[str, Any]) -> None:
    assert [each["collateral"] for each in report["scenarios"] if each["collateral"]] == []


def test_a_service_that_dies_answers_again_soon(report: dict[str, Any]) -> None:
    after = {each["name"]: each["recovered_after_s"] for each in report["scenarios"]}
    assert after["killed"] < ANSWERS_WITHIN_S
    assert after["exited"] < ANSWERS_WITHIN_S


def test_it_takes_less_than_a_minute(report: dict[str, Any]) -> None:
    assert report["took_s"] < 60.0


def test_nothing_is_left_of_it(report: dict[str, Any], scratch: Path) -> None:
    assert processes_in(scratch) == []
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_breaking_it_off_ends_everything_that_it_started(tmp_path: Path, number: signal.Signals) -> None:
    drill = subprocess.Popen(
        [*DRILL, "--only", "hung", "--only", "slow-start"],
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + ENDS_WITHIN_S
        while len(processes_in(tmp_path)) < 4 and time.monotonic() < deadline:  # the daemon and some services
            time.sleep(0.05)
        assert len(processes_in(tmp_path)) >= 4
        drill.send_signal(number)
        assert drill.wait(ENDS_WITHIN_S) == 130
    finally:
        drill.kill()
        drill.wait()
    assert processes_in(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
