"""Learned thresholds: one line each with the reason, then the change of the file."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType

from autonomyd.cli.screen import BAD, FINE, OLD, TITLE, WAITING, columns, indented, row, stack, table, text
from autonomyd.cli.words import NOTHING, clean, count, figure

_STATE = {"change": ("change", WAITING), "fits": ("fits", FINE), "waits": ("too early", OLD)}
_DIFF = {"+": FINE, "-": BAD, "@": OLD}


def tune_view(answer: Mapping[str, Any], now: float) -> RenderableType:
    """What history says about each threshold, why, and the diff."""
    if not answer["advice"]:
        return text("Nothing is recorded yet that a threshold judges.")
    parts: list[RenderableType | None] = [_table(answer["advice"]), text("")]
    for each in answer["advice"]:
        parts += [text(each["name"], TITLE), indented(text(each["why"], OLD))]
    if answer["unreached"]:
        left = count(answer["unreached"], "series", "series")
        parts += [text(""), text(f"{left} more were not reached in time: a shorter --since reaches them", WAITING)]
    if answer["problem"]:
        parts += [
            text(""),
            text(f"{clean(answer['file'])} can't be shown changed: {clean(answer['problem'])}", WAITING),
        ]
    elif answer["diff"]:
        parts += [text(""), *(text(each, _DIFF.get(each[:1], "")) for each in str(answer["diff"]).splitlines())]
        parts += [text(""), text("Nothing was written. Change the file and `autonomyctl reload`, or leave it.", OLD)]
    else:
        early = all(each["state"] == "waits" for each in answer["advice"])
        parts += [
            text(""),
            text("It is too early to tell.", OLD) if early else text("There is nothing to change.", FINE),
        ]
    return stack(parts)


def _table(advice: list[Mapping[str, Any]]) -> RenderableType:
    right = ("IN FORCE", "LEARNED", "USUAL", "99.5 %", "ALARMS A MONTH")
    made = table("THRESHOLD", "", *right, right=right, cut="THRESHOLD" if columns() < 100 else "")
    for each in advice:
        word, style = _STATE.get(each["state"], (each["state"], ""))
        before, after = (_alarms(each[key]) for key in ("alarms", "new_alarms"))
        row(
            made,
            text(each["name"]),
            text(word, style),
            figure(each["enter"]),
            text(_figure(each["new_enter"]), TITLE),
            _figure(each["usual"]),
            _figure(each["rare"]),
            before if after == NOTHING else f"{before}, then {after}",
        )
    return made


def _figure(value: float | None) -> str:
    return NOTHING if value is None else figure(round(value, 3))


def _alarms(value: float | None) -> str:
    return NOTHING if value is None else figure(round(value, 1))
