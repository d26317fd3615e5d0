"""What logs ordinarily say: one table a log."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType

from autonomyd.cli.screen import BAD, FINE, OLD, line, row, stack, table, text
from autonomyd.cli.words import clean, count, data_size, figure

_STYLES = {"new": FINE, "surging": BAD, "vanished": OLD}


def templates_view(answer: Sequence[Mapping[str, Any]], *, most: int, examples: bool) -> RenderableType:
    """For each log how much was read of it, then its templates, those that are unusual now first."""
    if not answer:
        return text("No log of it is read yet.", OLD)
    parts: list[RenderableType] = []
    for each in answer:
        parts += [line(("\n" if parts else "") + clean(each["log"]), (f"  {_read(each)}", OLD)), *_problems(each)]
        shown = sorted(each["templates"], key=lambda one: (not one["mark"], -one["count"]))
        if shown:
            parts.append(_table(shown[:most], examples))
        if len(shown) > most:
            parts.append(text(f"{len(shown) - most} more: -n {len(shown)}", OLD))
    return stack(parts)


def _table(shown: Sequence[Mapping[str, Any]], examples: bool) -> RenderableType:
    made = table("NO", "LINES", "AN HOUR", "TEMPLATE", right=("NO", "LINES", "AN HOUR"), fold="TEMPLATE")
    for one in shown:
        what = line(clean(one["text"]))
        if one["mark"]:
            what.append(f"  {clean(one['mark'])}", style=_STYLES.get(one["mark"], OLD))
        if examples:
            what.append(f"\n{clean(one['example'])}", style=OLD)
        rate = "" if one["per_hour"] is None else figure(one["per_hour"])
        row(made, text(one["number"], OLD), text(one["count"]), text(rate), what)
    return made


def _read(each: Mapping[str, Any]) -> str:
    words = [count(each["lines"], "line")]
    if each["learning"]:
        words.append("still learning")
    if each["forgotten"]:
        words.append(f"{count(each['forgotten'], 'rare template')} forgotten")
    return ", ".join(words)


def _problems(each: Mapping[str, Any]) -> list[RenderableType]:
    found = []
    if each["problem"]:
        found.append(f"can't be read now: {clean(each['problem'])}")
    if each["skipped_bytes"]:
        found.append(f"{data_size(each['skipped_bytes'])} came too fast and were passed over")
    if each["gaps"]:
        found.append(f"{count(each['gaps'], 'time')} what was written before a rotation could not be found any more")
    return [text(words, BAD) for words in found]
