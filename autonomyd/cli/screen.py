"""The terminal: one console whose colours mean one thing each, and the small parts that every view is built of.

Colours: green is fine, yellow is degraded or waiting, red is critical, dim is old or unimportant. Markup is off
everywhere: text from outside must not colour, link or move anything.
"""

import os
import sys
from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from autonomyd.cli.words import clean

FINE = "green"
WAITING = "yellow"
BAD = "red"
OLD = "dim"
TITLE = "bold"
PLAIN = ""

PIPED_COLUMNS = 120
_BY_WORD = {
    FINE: (
        "done",
        "healthy",
        "up",
        "ok",
        "running",
        "healed",
        "committed",
        "completed",
        "verified",
        "resolved",
        "passed",
    ),
    WAITING: (
        *("degraded", "warning", "starting", "stopping", "refused", "parked", "unverified", "rolled_back", "pending"),
        *("verifying", "fixing", "planned", "diagnosed", "open", "in_progress", "proposed", "applied", "frozen"),
    ),
    BAD: ("critical", "failing", "failed", "down", "worsened", "ineffective", "rollback_failed", "gone"),
    OLD: ("unknown", "stopped", "muted", "cancelled", "rejected", "stable"),
}
_STYLE_OF = {word: style for style, words in _BY_WORD.items() for word in words}


def make_console(width: int | None = None) -> Console:
    """A console on stdout. Piped output has no colours and is as wide as COLUMNS says, else 120."""
    terminal = sys.stdout.isatty()
    if width is None and not terminal:
        width = int(os.environ["COLUMNS"]) if os.environ.get("COLUMNS", "").isdigit() else PIPED_COLUMNS
    return Console(
        file=sys.stdout,
        width=width or None,
        markup=False,
        emoji=False,
        highlight=False,
        no_color=bool(os.environ.get("NO_COLOR")) or not terminal,
        force_terminal=terminal,
        legacy_windows=False,
    )


def show(view: RenderableType) -> None:
    """Print a view; piped lines lose the blanks that only fill a table's last column."""
    console = make_console()
    if sys.stdout.isatty():
        console.print(view)
        return
    with console.capture() as capture:
        console.print(view)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))


def columns() -> int:
    """The width that a view may use."""
    return make_console().width


def unicode_terminal() -> bool:
    """Whether stdout can show block and braille characters."""
    return "utf" in (getattr(sys.stdout, "encoding", None) or "").lower()


def style_of(word: object) -> str:
    """The colour of a state's word; no colour for words without one."""
    return _STYLE_OF.get(str(word), PLAIN)


def text(value: object, style: str = PLAIN) -> Text:
    """Outside text made safe."""
    return Text(clean(value), style=style, overflow="fold")


def state(word: object) -> Text:
    """A state's word in its colour, with blanks for underscores."""
    return text(clean(word).replace("_", " "), style_of(word))


def line(*parts: tuple[object, str] | str) -> Text:
    """One line put together from safe parts: a text, or (text, style)."""
    made = Text(overflow="fold")
    for part in parts:
        value, style = (part, PLAIN) if isinstance(part, str) else part
        made.append(clean(value), style=style or None)
    return made


def title(name: str, note: str = "") -> Text:
    """The heading of a part of a screen."""
    made = Text(name, style=TITLE)
    return made.append(f"  {clean(note)}", style="not bold dim") if note else made


def table(*headings: str, right: Iterable[str] = (), fold: str = "", cut: str = "") -> Table:
    """An unframed table. Columns named in `right` hold figures; the one named `fold` wraps, the one named `cut` is
    cut with an ellipsis where the line is full; the others are never broken. No header when all headings are empty."""
    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_header=any(headings))
    for name in headings:
        # rich narrows the columns that may wrap first; a cut column is one of them, its cells forbid the wrapping.
        flexible = bool(name) and name in (fold, cut)
        made.add_column(
            name,
            justify="right" if name and name in right else "left",
            no_wrap=not flexible,
            overflow="ellipsis" if name and name == cut else "fold",
        )
    return made


def row(made: Table, *cells: Text | str) -> None:
    """Add a row; plain text is made safe."""
    safe = [cell if isinstance(cell, Text) else text(cell) for cell in cells]
    for column, cell in zip(made.columns, safe, strict=True):
        if column.overflow == "ellipsis":
            cell.no_wrap, cell.overflow = True, "ellipsis"
    made.add_row(*safe)


def indented(part: RenderableType, by: int = 2) -> Padding:
    """The part moved to the right."""
    return Padding(part, (0, 0, 0, by))


def pairs(items: Iterable[tuple[str, Text | str]]) -> Padding:
    """Names and what they stand for, one a line."""
    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in items:
        row(made, text(name, OLD), value)
    return indented(made)


def stack(parts: Iterable[RenderableType | None]) -> Group:
    """The parts below one another; None is left out."""
    return Group(*(part for part in parts if part is not None))


def bar(percent: float | None, style: str, width: int = 12) -> Text:
    """A small bar for 0 to 100 %."""
    full, empty = ("█", "░") if unicode_terminal() else ("#", ".")
    filled = 0 if percent is None else min(width, max(0, round(percent / 100.0 * width)))
    return Text().append(full * filled, style=style or None).append(empty * (width - filled), style=OLD)


def mark(passed: bool) -> Text:
    """A tick or a cross."""
    good, bad = ("✔", "✘") if unicode_terminal() else ("+", "x")
    return Text(good, style=FINE) if passed else Text(bad, style=BAD)
