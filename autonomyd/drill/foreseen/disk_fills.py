"""A folder with a quota fills steadily. Before it is over its bound, the daemon says when it will be."""

import os
from pathlib import Path

from autonomyd.drill.foretold import Foretold, warning_of
from autonomyd.drill.stage import Stage
from autonomyd.drill.tables import quoted

QUOTA_MB = 20
ENTER_PERCENT = 90
PIECE_KB = 100
"""Written at every look: it takes about a minute to the bound."""
BEGINS_WITH = 40
KB = 1_000


def folder_of(stage: Stage) -> Path:
    return stage.scratch / "spool"


def used_mb(stage: Stage) -> float:
    return sum(path.stat().st_blocks * 512 for path in folder_of(stage).iterdir()) / KB / KB


def fill(stage: Stage, pieces: int = 1) -> None:
    folder = folder_of(stage)
    begin = len(list(folder.iterdir()))
    for number in range(begin, begin + pieces):
        (folder / f"{number}.spool").write_bytes(os.urandom(KB) * PIECE_KB)


def prepare(stage: Stage) -> None:
    folder_of(stage).mkdir()
    fill(stage, BEGINS_WITH)


def told(stage: Stage) -> str | None:
    return warning_of(f"folder:{os.path.realpath(folder_of(stage))}")(stage)


def tables(scratch: str) -> str:
    return (
        f"[[cleanup]]\nroot = {quoted(scratch + '/spool')}\nquota_mb = {QUOTA_MB}\n"
        f"enter_percent = {ENTER_PERCENT}\ntarget_percent = {ENTER_PERCENT - 10}\n"
    )


SCENARIO = Foretold(
    name="disk-fills",
    what="a folder fills toward its quota",
    prepare=prepare,
    inject=fill,
    goes_on=fill,
    told=told,
    fails=lambda stage: used_mb(stage) > QUOTA_MB * ENTER_PERCENT / 100,
    within_s=150.0,
    tables=tables,
).scenario()
