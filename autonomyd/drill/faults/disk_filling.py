"""A folder with a quota fills up. The oldest rotated log goes; open, fresh and protected files stay to the byte."""

import hashlib
import os
import time
from pathlib import Path

from autonomyd.drill.stage import Stage
from autonomyd.drill.tables import quoted
from autonomyd.drill.verdict import Kind, Observed, Scenario

KB = 1_000
QUOTA_KB = 10_000
ENTER_PERCENT = 90
TARGET_PERCENT = 80
BEFORE = (("app.log", 1_000, 0), ("app.log.1", 1_000, 1), ("app.log.2", 1_000, 2))
"""Name, size in KB, age in days."""
FILL = (("app.log.3", 1_500, 3), ("app.log.4", 1_500, 4), ("app.log.5", 2_000, 5), ("app.log.6", 1_500, 6))
OPEN_ONE = "app.log.6"
"""The oldest of all, and somebody has it open."""
VICTIM = "app.log.5"
DAY_S = 86_400.0
WITHIN_S = 20.0
CLOSED_WITHIN_S = 8.0


def folder_of(scratch: Path) -> Path:
    return scratch / "logs"


def play(stage: Stage) -> Observed:
    folder = folder_of(stage.scratch)
    folder.mkdir(exist_ok=True)  # the daemon knows a folder that is not there yet, too
    _write(folder, BEFORE)
    stage.rest(1.0 + stage.rng.random())
    subject = f"folder:{os.path.realpath(folder)}"
    _write(folder, FILL)
    prints = _prints(folder)
    with (folder / OPEN_ONE).open("rb"):
        began = time.monotonic()
        freed = stage.until(lambda: _used_kb(folder) <= QUOTA_KB * ENTER_PERCENT / 100, within_s=WITHIN_S)
        recovered = time.monotonic() - began if freed else None
        closed = stage.until(lambda: _is_closed(stage, subject), within_s=CLOSED_WITHIN_S)
    detected = stage.detected(subject, began)
    if recovered is not None and (stage.was_told(subject) if detected is None else detected > recovered):
        detected = recovered  # seen and mended between two looks at the API: at the latest when the file went
    problems = _harmed(folder, prints)
    if recovered is None:
        problems.append(f"the folder was still over {ENTER_PERCENT} % after {WITHIN_S:g} s")
    elif not closed:
        problems.append("there is room again, but the issue is still open")
    if detected is None:
        problems.append("the API never showed that it fills")
    return Observed(
        detected_after_s=detected, recovered_after_s=recovered, problems=tuple(problems), note=f"{VICTIM} went"
    )


def _write(folder: Path, files: tuple[tuple[str, int, int], ...]) -> None:
    now = time.time()
    for name, size_kb, days in files:
        path = folder / name
        path.write_bytes(os.urandom(KB) * size_kb)
        os.utime(path, (now - days * DAY_S, now - days * DAY_S))


def _prints(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def _harmed(folder: Path, before: dict[str, str]) -> list[str]:
    after = _prints(folder)
    harmed = [
        f"{name} is no longer what it was"
        for name, seen in before.items()
        if name != VICTIM and after.get(name) != seen
    ]
    return harmed + ([f"{VICTIM} is still there"] if VICTIM in after else [])


def _used_kb(folder: Path) -> float:
    used = 0
    for path in folder.iterdir():
        try:
            used += path.stat().st_blocks * 512
        except FileNotFoundError:
            continue  # it went just now
    return used / KB


def _is_closed(stage: Stage, subject: str) -> bool:
    shown = stage.api.now(subject)
    return shown.calm if shown is not None else stage.was_told(subject)


def tables(scratch: str) -> str:
    return (
        f"[[cleanup]]\nroot = {quoted(scratch + '/logs')}\nquota_mb = {QUOTA_KB / KB}\n"
        f"enter_percent = {ENTER_PERCENT}\ntarget_percent = {TARGET_PERCENT}\nkeep = 1\n"
    )


SCENARIO = Scenario(
    name="disk-filling",
    kind=Kind.FAULT,
    what="log folder fills its quota",
    play=play,
    tables=tables,
)
