"""The timeline as a list: a mark for the kind of each entry, and an arrow to the change that it is likely due to."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from autonomyd.cli.screen import (
    BAD,
    FINE,
    OLD,
    TITLE,
    WAITING,
    line,
    row,
    stack,
    style_of,
    table,
    text,
    unicode_terminal,
)
from autonomyd.cli.words import clean, count, duration, moment, person, whose

Entry = Mapping[str, Any]

MARKS = {"change": ("◆", "*"), "shift": ("↕", "~"), "issue": ("▲", "!"), "fix": ("●", "+")}
ARROWS = ("└▶", "`->")
LIKELY = 50.0
_SEVERITY = {"critical": BAD, "warning": WAITING, "notice": OLD}
_NAMES = {
    "release": "release",
    "package": "package",
    "config": "config",
    "restart": "restart",
    "operator": "operator",
    "daemon": "machine",
}


def timeline_view(entries: Sequence[Entry], now: float) -> RenderableType:
    """Oldest first."""
    if not entries:
        return text("Nothing happened in this time.")
    made = table("WHEN", "", "WHO", "WHAT", "", "BY", fold="")
    made.columns[4].no_wrap = False
    for each in entries:
        by = person(each["actor"])
        row(
            made,
            text(moment(each["at"], now), OLD),
            _mark(each),
            text(whose(each["subject"])),
            text(_what(each), OLD),
            _words(each),
            text("" if by in ("", "autonomyd") else by, OLD),
        )
    return stack([made, text(""), text(_legend(entries), OLD)])


def due_lines(coincidences: Iterable[Mapping[str, Any]]) -> Iterable[Text]:
    """What an issue may be due to, and what only came after it, one a line."""
    for each in coincidences:
        sure = f"{each['confidence']:.0f} of 100"
        if each["confidence"] <= 0:
            yield line(("against  ", OLD), f"{clean(each['why'])}: it is not the cause")
        else:
            style = TITLE if each["confidence"] >= LIKELY else ""
            yield line(("for      ", OLD), (clean(each["why"]), style), (f"  {sure}", OLD))


def _mark(entry: Entry) -> Text:
    full, plain = MARKS.get(entry["kind"], ("-", "-"))
    style = {"issue": _SEVERITY.get(entry["level"], BAD), "shift": WAITING, "fix": FINE}.get(entry["kind"], "")
    return Text(full if unicode_terminal() else plain, style=style)


def _what(entry: Entry) -> str:
    if entry["kind"] == "change":
        return _NAMES.get(entry["level"], clean(entry["level"]))
    return clean(entry["kind"]) + (f" {entry['number']}" if entry["number"] is not None else "")


def _words(entry: Entry) -> Text:
    made = text(entry["words"])
    ended = entry["until"]
    if entry["kind"] == "issue":
        made.append(f"  over after {duration(ended - entry['at'])}" if ended else "  open", style=OLD if ended else BAD)
    elif entry["kind"] == "fix":
        outcome = clean(entry["level"])
        made.append(f": {outcome.replace('_', ' ')}", style=style_of(outcome) or None)
    due = entry["due"]
    if due:
        arrow = ARROWS[0] if unicode_terminal() else ARROWS[1]
        made.append(f"\n{arrow} ", style=WAITING).append(clean(due["why"]), style=TITLE)
        made.append(f"  {due['confidence']:.0f} of 100", style=OLD)
    return made


def _legend(entries: Sequence[Entry]) -> str:
    kinds = [each["kind"] for each in entries]
    told = [
        count(kinds.count(kind), *words)
        for kind, words in {
            "change": ("change",),
            "shift": ("shift of level", "shifts of level"),
            "issue": ("problem",),
            "fix": ("fix", "fixes"),
        }.items()
        if kind in kinds
    ]
    return ", ".join(told)
