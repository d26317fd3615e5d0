"""Recorded history in a real daemon: one series over weeks, a rule tried on it, thresholds learned from it, and what is
measured now is recorded and outlives a restart."""

import asyncio
import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.control.client import ApiError
from autonomyd.knowledge.issues import Issues
from autonomyd.knowledge.rollups import HOURS, MINUTES, Rollups, Row, slice_of
from autonomyd.knowledge.store import Store
from autonomyd.model.health import Severity
from autonomyd.model.issue import Issue, IssueState, IssueType
from autonomyd.model.rollup import DAY_S, HOUR_S, MINUTE_S
from autonomyd.model.subject import HOST
from tests.boxes.daemon import ROOT, DaemonBox, environment, until

CPU = "host/cpu.percent"
BUSY_HOUR = 30
"""Hours ago that the machine was busy for half an hour, and an issue was recorded."""


def rows(at: float, now: float, samples: int) -> bytes:
    usual = 30.0 + 10.0 * math.sin(at / DAY_S * math.tau)
    busy = 0.0 <= at - (now - BUSY_HOUR * HOUR_S) < HOUR_S / 2
    value = 95.0 if busy else usual
    made = [Row(CPU, "%", samples, value - 2.0, min(100.0, value + 3.0), value, value)]
    return slice_of([*made, Row("service:gone/rss_mb", "MB", samples, 99.0, 101.0, 100.0, 100.0)])


async def fill(path: Path, now: int) -> None:
    """Forty days of hours, the newest seven and a half in minutes, up to ten minutes ago; and one problem."""
    store = await Store.open(str(path), clock=SystemClock())
    rollups = Rollups(store)
    begin = now - now % HOUR_S - 180 * HOUR_S
    for at in range(begin - 32 * DAY_S, begin, HOUR_S):
        await rollups.add(HOURS, at, rows(at, now, 360))
    await rollups.pack(now=begin)
    for at in range(begin, now - 600, MINUTE_S):
        await rollups.add(MINUTES, at, rows(at, now, 6))
    await rollups.pack(now=now)
    opened = now - BUSY_HOUR * HOUR_S + 300.0
    problem = Issue(
        id=1, type=IssueType.PERFORMANCE_DEGRADATION, subject=HOST, metric="cpu.percent", severity=Severity.WARNING,
        state=IssueState.RESOLVED, summary="busy", opened_at=opened, updated_at=opened, resolved_at=opened + 1200.0,
    )  # fmt: skip
    await Issues(store).save(problem)
    await store.close()


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonBox]:
    made = DaemonBox(tmp_path_factory.mktemp("history"))
    made.state_dir.mkdir(mode=0o700)
    asyncio.run(fill(made.state_dir / "state.db", int(time.time())))
    made.configure("[thresholds]\ncpu_percent = 80 # as it came\n")
    made.start()
    yield made
    made.close()


def ctl(box: DaemonBox, *arguments: str) -> str:
    argv = [sys.executable, "-m", "autonomyd.cli.ctl", "--socket", str(box.socket), *arguments]
    env = environment() | {"COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_series_over_weeks_without_a_seam(box: DaemonBox) -> None:
    answer = box.get(f"/v1/metrics/{CPU}", since_s=60 * DAY_S)
    ends = list(zip(answer["at"], answer["step_s"], strict=True))
    assert [step for _, step in ends] == sorted((step for _, step in ends), reverse=True)
    assert answer["step_s"].count(3600.0) >= 32 * 24 - 1
    assert answer["step_s"].count(60.0) >= 180 * 60 - 20
    assert all(at + step <= after for (at, step), (after, _) in pairwise(ends))
    assert time.time() - answer["at"][0] > 39 * DAY_S
    few = box.get(f"/v1/metrics/{CPU}", since_s=60 * DAY_S, points=100)
    assert len(few["at"]) <= 100
    assert 97.9 < max(few["high"]) <= 100.0
    assert sum(few["count"]) >= sum(answer["count"])


def test_the_list_has_what_is_gone_and_how_far_back(box: DaemonBox) -> None:
    series = {each["name"]: each for each in box.get("/v1/metrics")["series"]}
    assert series["service:gone/rss_mb"] | {"last": None, "count": 0} == series["service:gone/rss_mb"]
    assert series["service:gone/rss_mb"]["unit"] == "MB"
    assert time.time() - series[CPU]["since"] > 39 * DAY_S
    assert time.time() - series["host/load.1"]["since"] < 600


def test_the_chart_and_its_json(box: DaemonBox) -> None:
    text = ctl(box, "metrics", CPU, "--since", "40d")
    assert "dotted: lowest to highest" in text
    assert max(map(len, text.splitlines())) <= 100
    assert set(json.loads(ctl(box, "metrics", CPU, "--since", "2h", "--json"))["step_s"]) <= {0.0, 60.0}


def test_a_back_test_is_held_against_what_was_recorded(box: DaemonBox) -> None:
    answer = box.get("/v1/backtest", rule="cpu_percent", since_s=30 * DAY_S)
    (trial,) = answer["trials"]
    score = trial["score"]
    assert (score["alarms"], score["hits"], score["false_alarms"], score["missed"]) == (1, 1, 0, 0)
    assert 100 < score["lead_s"] < 300
    quiet = box.get("/v1/backtest", rule="cpu_percent enter=99", since_s=30 * DAY_S)["trials"][0]
    assert (quiet["score"]["alarms"], quiet["missed"]) == (0, [1])
    text = ctl(box, "backtest", "cpu_percent", "enter=36", "for=5m")
    assert "no problem was recorded" in text
    assert ctl(box, "backtest", "anomaly", CPU)


@pytest.mark.parametrize("rule", ["", "nonsense", "cpu_percent enter=x", "leak", "anomaly nonsense"])
def test_what_can_not_be_tried_is_said(box: DaemonBox, rule: str) -> None:
    with pytest.raises(ApiError) as caught:
        box.get("/v1/backtest", rule=rule)
    assert caught.value.status == 400
    assert caught.value.message


def test_learned_thresholds_are_a_diff_and_nothing_is_written(box: DaemonBox) -> None:
    before = box.config.read_bytes()
    answer: Any = box.get("/v1/tune")
    (cpu,) = [each for each in answer["advice"] if each["name"] == "cpu_percent"]
    assert (cpu["state"], cpu["enter"], cpu["new_enter"]) == ("change", 80.0, 43.0)
    assert (cpu["alarms"], cpu["new_alarms"]) == (0.0, 0.0), "what was not ordinary is left out"
    assert "-cpu_percent = 80 # as it came\n+cpu_percent = 43 # as it came\n" in answer["diff"]
    assert "+cpu_percent = 43" in ctl(box, "tune", "--propose")
    assert box.config.read_bytes() == before


def test_one_look_at_a_time_and_nobody_waits_for_ever(box: DaemonBox) -> None:
    assert box.get("/v1/workbench") == {"what": "", "done": 0, "of": 0}


def test_what_is_measured_is_recorded_and_outlives_the_daemon(box: DaemonBox) -> None:
    until(lambda: box.get("/v1/metrics/host/load.1")["at"], "the first sample")
    assert box.end() == 0
    box.start()
    answer = box.get("/v1/metrics/host/load.1", since_s=600.0)
    assert 0.0 < answer["step_s"][0] <= 60.0, "the minute under way was kept"
    assert answer["count"][0] >= 1
