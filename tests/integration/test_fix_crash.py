"""The daemon dies by SIGKILL at every point of every kind of fix: a new one leaves nothing half done.

At each point: files are byte for byte (with mode, owner and attributes) the original ones or all of the new ones, the
service runs, the journal has an end, and the fix says what happened. Every second time the recovery itself is killed
as well, and recovered."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.boxes.crashing_fix import SCENARIOS

ROOT = Path(__file__).parents[2]
HARNESS = ROOT / "tests" / "boxes" / "crashing_fix.py"
LONGEST_S = 300
ENDED = {"committed", "rolled_back"}


@pytest.fixture(scope="module")
def harnesses(tmp_path_factory):
    """All scenarios side by side, each in a process of its own."""
    # in memory where that is possible: it is about the death of a process, and a disk would make it ten times as slow
    in_memory = tempfile.mkdtemp(dir="/dev/shm") if os.access("/dev/shm", os.W_OK) else None
    folder = Path(in_memory) if in_memory else tmp_path_factory.mktemp("crash")
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    started = {}
    for number, name in enumerate(SCENARIOS):
        argv = [sys.executable, str(HARNESS), str(folder / str(number)), name]
        with (folder / f"{number}.err").open("wb") as err, (folder / f"{number}.out").open("wb") as out:
            started[name] = (subprocess.Popen(argv, env=env, stdout=out, stderr=err), folder / str(number))
    yield started
    for process, _ in started.values():
        process.kill()
        process.wait()
    if in_memory:
        shutil.rmtree(in_memory)


@pytest.mark.skipif(sys.platform != "linux", reason="forks with threads around and reads extended attributes: Linux")
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_whatever_the_point_nothing_is_left_half_done(harnesses, scenario):
    process, files = harnesses[scenario]
    assert process.wait(LONGEST_S) == 0, files.with_suffix(".err").read_text()[-2000:]
    cases = [json.loads(line) for line in files.with_suffix(".out").read_text().splitlines()]
    *killed, whole = cases
    assert len(killed) >= 8
    assert not whole["killed"]
    new = whole["after"]["picture"]
    for case in cases:
        check(case, new, scenario)
    ends = {case["after"]["fixes"][0][0] for case in killed if case["after"]["fixes"]}
    assert "rolled_back" in ends


def check(case, new, scenario):
    before, after = case["before"], case["after"]
    where = f"killed at point {case['at']}, again at {case['again_at']}: {after['fixes'][:1]}"
    assert after["unfinished"] == 0, where
    assert after["picture"] in (before["picture"], new), where
    made = after["fixes"][: len(after["fixes"]) - before["stored"]]
    if not made:  # it died before the first state was on disk: nothing was done
        assert case["at"] == 1, where
        assert after["picture"] == before["picture"], where
        return
    (state, outcome, message, ended_at), *more = made
    assert more == [], where
    assert state in ENDED, where
    assert ended_at, where
    expected = new if state == "committed" else before["picture"]
    assert after["picture"] == expected, where
    assert after["runs"] or (scenario == "start" and state == "rolled_back"), where
    assert ("the daemon ended" in message) or outcome in ("healed", "worsened", "rolled_back"), where
