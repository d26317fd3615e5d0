"""Why each remedy is not the one, as a table for each problem."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from autonomyd.cli.screen import BAD, FINE, OLD, TITLE, WAITING, line, row, stack, table, text
from autonomyd.cli.views.story import GATES
from autonomyd.cli.words import ahead, clean, count

Item = Mapping[str, Any]

_STANDINGS = {
    "chosen": ("next", FINE),
    "held": ("held", WAITING),
    "behind": ("behind", ""),
    "ruled_out": ("ruled out", BAD),
    "other_cause": ("other cause", OLD),
}


def why_not_view(items: Sequence[Item], now: float, *, everything: bool) -> RenderableType:
    """One table an issue; remedies for other causes only when `everything` is wanted."""
    if not items:
        return line(("No open problems: there is nothing that a remedy would be for.", FINE))
    parts: list[RenderableType] = []
    for each in items:
        parts += [*([text("")] if parts else []), *_problem(each, now, everything)]
    return stack(parts)


def _problem(item: Item, now: float, everything: bool) -> Iterator[RenderableType]:
    yield line((f"#{item['issue_id']} ", OLD), (clean(item["summary"]), TITLE))
    cause = item["cause"]
    note = f": {clean(item['note'])}" if item["note"] else ""
    yield text(f"cause: {clean(cause).replace('_', ' ')}" if cause else f"the cause is not known{note}", OLD)
    if item["decision"]:
        yield text(clean(item["decision"]), WAITING)
    shown = [each for each in item["verdicts"] if everything or each["standing"] != "other_cause"]
    if shown:
        yield _table(shown, now)
    others = len(item["verdicts"]) - len(shown)
    if others:
        yield text(f"{count(others, 'remedy', 'remedies')} for other causes: --all names them", OLD)


def _table(verdicts: Sequence[Item], now: float) -> RenderableType:
    made = table("REMEDY", "RUNG", "STANDS", "SURE", "WHY", right=("RUNG", "SURE"), fold="WHY")
    for each in verdicts:
        words, style = _STANDINGS.get(each["standing"], (clean(each["standing"]), ""))
        held = each["standing"] == "chosen" and each["gate"]
        row(
            made,
            text(clean(each["strategy"]), TITLE if each["standing"] == "chosen" else ""),
            text(each["rung"], OLD),
            text("next, held" if held else words, WAITING if held else style),
            _sure(each),
            _why(each, now),
        )
    return made


def _sure(each: Item) -> Text:
    if each["confidence"] is None:
        return text("-", OLD)
    short = f", {each['short_by']:.0f} short" if each["short_by"] else ""
    return text(f"{each['confidence']:.0f}{short}", BAD if short else "")


def _why(each: Item, now: float) -> Text:
    made = text(clean(each["why"]))
    if each["gate"]:
        gate = GATES.get(each["gate"], clean(each["gate"]).replace("_", " "))
        made.append(f'\ngate "{gate}" saw {clean(each["saw"])}; it needs {clean(each["needs"])}', style=OLD)
    if each["retry_at"]:
        made.append(f"; again {ahead(each['retry_at'], now)}", style=OLD)
    return made
