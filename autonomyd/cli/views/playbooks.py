"""Strategies in words: what each is for and what it may do."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType

from autonomyd.cli.screen import BAD, OLD, indented, line, row, stack, table, text
from autonomyd.cli.words import clean


def playbook_view(answer: Mapping[str, Any]) -> RenderableType:
    """One line for each strategy, then the files that were refused."""
    made = table("PLAYBOOK", "RUNG", "RISK", "AGAINST", right=("RUNG",), fold="AGAINST")
    for each in answer["playbooks"]:
        against = line(", ".join(clean(cause).replace("_", " ") for cause in each["causes"]))
        against.append(f"\n{_manner(each)}", style=OLD)
        row(made, text(clean(each["name"])), text(each["rung"], OLD), text(clean(each["risk"]), OLD), against)
    parts: list[RenderableType] = [made]
    for each in answer["refused"]:
        parts.append(line("\n", ("refused: ", BAD), clean(each["file"])))
        parts.append(indented(stack([text(clean(problem)) for problem in each["problems"]])))
    if answer["folder"] is not None:
        parts.append(text(f"\nYour own are read from {clean(answer['folder'])}.", OLD))
    return stack(parts)


def _manner(each: Mapping[str, Any]) -> str:
    words = ["interrupts" if each["disruptive"] else "interrupts nothing"]
    if not each["reversible"]:
        words.append("can't be undone" + ("" if each["consented"] else ", so it asks"))
    if each["source"] != "bundled":
        words.append(f"from {clean(each['source'])}")
    return ", ".join(words)
