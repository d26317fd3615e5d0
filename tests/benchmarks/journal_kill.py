"""What a kill -9 at every point of a fix costs: at each point of each kind of fix the process dies, half of the time
the recovery too; then it recovers. Counted: files that are neither the original nor the new one, services left down,
fixes without an end."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import running
from figure import Figure, Options

HARNESS = running.ROOT / "tests" / "boxes" / "crashing_fix.py"
SCENARIOS = ("restart", "kill-and-start", "start", "kill-and-start, worse", "files", "files, worse")
QUICK = ("start", "kill-and-start, worse", "files")
WHAT = {"files": "files damaged", "down": "services left down", "open": "fixes without an end"}


def measure(options: Options) -> list[Figure]:
    began = time.perf_counter()
    lost: Counter[str] = Counter()
    scenarios = QUICK if options.quick else SCENARIOS
    for scenario in scenarios:
        cases = _cases(scenario)
        new = cases[-1]["after"]["picture"]
        for case in cases:
            lost.update(_lost(case, new, started=scenario != "start"))
    note = f"{lost['kills']} kills in {len(scenarios)} kinds of fix, {time.perf_counter() - began:.0f} s"
    return [
        Figure(what=f"kill -9 in a fix: {what}", value=float(lost[key]), unit="", target=0.0, bound=0.0, note=note)
        for key, what in WHAT.items()
    ]


def _cases(scenario: str) -> list[dict[str, Any]]:
    """One for each point; the last one was not killed."""
    # it is about the death of a process, not about a disk
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        argv = [sys.executable, str(HARNESS), str(Path(folder) / "run"), scenario]
        done = subprocess.run(argv, env=running.environment(), check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _lost(case: dict[str, Any], new: Any, *, started: bool) -> dict[str, int]:
    before, after = case["before"]["picture"], case["after"]["picture"]
    committed = bool(after and case["after"]["fixes"] and case["after"]["fixes"][0][0] == "committed")
    expected = new if committed else before
    wrong = sum(after.get(name) != expected.get(name) for name in {*after, *expected})
    should_run = started or committed
    return {
        "kills": int(case["killed"]),
        "files": wrong,
        "down": int(should_run and not case["after"]["runs"]),
        "open": case["after"]["unfinished"],
    }
