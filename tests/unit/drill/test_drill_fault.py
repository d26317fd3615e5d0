"""When a fault counts as healed: well, by new processes, and by the same ones until the time is over."""

import threading
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from autonomyd.drill.daemon import DaemonUnderDrill
from autonomyd.drill.fault import Fault
from autonomyd.drill.services import Answer, SmallService
from autonomyd.drill.stage import Stage
from autonomyd.drill.verdict import WEB
from autonomyd.drill.watch import ApiWatch, BystanderWatch

HOLDS_S = 0.3


class Script:
    """Which process runs and whether its page is good, from which moment on (seconds since the start)."""

    def __init__(self, *parts: tuple[float, int, bool]) -> None:
        self.parts = parts
        self.began = time.monotonic()

    def now(self) -> tuple[int, bool]:
        after = time.monotonic() - self.began
        return next((pid, good) for at, pid, good in reversed(self.parts) if at <= after)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    daemon = DaemonUnderDrill(tmp_path, tmp_path / "d.sock")
    spec = {"web": SmallService(spec=WEB, folder=tmp_path, port=1, command=())}
    return Stage(
        scratch=tmp_path,
        daemon=daemon,
        services=spec,
        api=ApiWatch(daemon.client),
        bystanders=BystanderWatch(()),
        rng=Random(1),
        called_off=threading.Event(),
    )


def recovered(stage: Stage, monkeypatch: pytest.MonkeyPatch, script: Script, *, within_s: float = 1.5) -> float | None:
    def ask(_: SmallService, path: str = "", *, timeout_s: float = 1.0) -> Answer:
        pid, good = script.now()
        return Answer(status=200 if good else 500, pid=pid)

    monkeypatch.setattr(SmallService, "ask", ask)
    monkeypatch.setattr(SmallService, "alive", lambda _: (script.now()[0],))
    monkeypatch.setattr(SmallService, "starts", lambda _: (1, 2, 3))
    fault = Fault(name="x", what="x", inject=lambda _: None, holds_s=HOLDS_S, within_s=within_s)
    found: Any = fault._recovered(stage, {"web": 1}, script.began)
    return found


def test_the_old_process_is_no_recovery(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert recovered(stage, monkeypatch, Script((0.0, 1, True)), within_s=0.3) is None


def test_it_counts_from_the_first_good_answer_of_the_new_one(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    found = recovered(stage, monkeypatch, Script((0.0, 1, False), (0.2, 2, True)))
    assert found == pytest.approx(0.2, abs=0.1)


def test_a_good_moment_before_the_next_failure_does_not_count(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script((0.0, 2, True), (0.15, 2, False), (0.5, 2, True))
    found = recovered(stage, monkeypatch, script)
    assert found == pytest.approx(0.5, abs=0.15)


def test_a_restart_between_two_looks_begins_anew(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    found = recovered(stage, monkeypatch, Script((0.0, 2, True), (0.2, 3, True)))
    assert found == pytest.approx(0.25, abs=0.15)
