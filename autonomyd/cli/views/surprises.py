"""Surprises as a list with bars, the ranking of a subject's metrics, and what is still learned."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from autonomyd.cli.screen import BAD, OLD, WAITING, bar, line, row, stack, table, text, title
from autonomyd.cli.words import clean, count, duration, moment, whose, with_unit

SHOWN = 40
"""The newest this many: a day of many series has more than anybody reads."""
RARE = 0.6
"""One in a thousand: from here on a bar is red."""
LEARNING_SHOWN = 6

Wire = Mapping[str, Any]


def surprises_view(answer: Wire, now: float) -> RenderableType:
    """The newest surprise last."""
    newest = list(answer["newest"])
    parts: list[RenderableType | None] = []
    if answer["contributors"]:
        parts += [title("What contributes most"), _table(answer["contributors"], now), text("")]
        parts.append(title("In order of time"))
    parts.append(_table(newest[-SHOWN:], now) if newest else text("Nothing surprising was seen in this time."))
    if len(newest) > SHOWN:
        parts.append(text(f"{len(newest) - SHOWN} earlier ones are not shown; --json has them", OLD))
    parts += [text(""), _learning(answer)]
    if answer["crowded_out"]:
        parts.append(text("There are more series than are judged; see the log.", WAITING))
    return stack(parts)


def _table(surprises: Iterable[Wire], now: float) -> RenderableType:
    made = table("WHEN", "WHO", "METRIC", "VALUE", "EXPECTED", "SCORE", "", right=("VALUE", "EXPECTED"), fold="METRIC")
    for each in surprises:
        score = float(each["score"])
        row(
            made,
            text(moment(each["at"], now), OLD),
            text(whose(each["subject"])),
            text(each["metric"]),
            text(with_unit(each["value"], each["unit"])),
            text(with_unit(each["expected"], each["unit"]), OLD),
            bar(100.0 * score, BAD if score >= RARE else WAITING),
            text(f"{score:.2f}"),
        )
    return made


def _learning(answer: Wire) -> Text:
    learning = list(answer["learning"])
    known = int(answer["known"])
    if not known:
        return text("Nothing is measured yet.", OLD)
    if not learning:
        return text(f"All {count(known, 'series', 'series')} are known.", OLD)
    names = [f"{whose(each['subject'])}/{clean(each['metric'])}" for each in learning]
    more = ", ..." if len(names) > LEARNING_SHOWN else ""
    left = max(float(each["left_s"]) for each in learning)
    words = f", for {duration(left)} at least" if left > 0 else ", until there are samples enough"
    return line(
        (f"learning {len(learning)} of {count(known, 'series', 'series')}{words}: ", WAITING),
        (", ".join(names[:LEARNING_SHOWN]) + more, OLD),
    )
