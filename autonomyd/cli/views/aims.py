"""Goals, and the optimization of the daemon's own cost."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from autonomyd.cli.screen import FINE, OLD, TITLE, WAITING, bar, indented, line, pairs, row, stack, state, table, text
from autonomyd.cli.views.values import metric_text
from autonomyd.cli.words import clean, figure, listed

_PRIORITIES = {5: "critical", 4: "high", 3: "medium", 2: "low", 1: "deferred"}
_GOAL_STATES = ("in_progress", "pending", "completed", "failed", "cancelled")
_CANDIDATE_STATES = ("proposed", "applied", "verified", "rolled_back")


def goals_view(goals: Mapping[str, Any]) -> RenderableType:
    """How many there are, and each with its bar and its targets."""
    known = ", ".join(f"{goals[key]} {key.replace('_', ' ')}" for key in _GOAL_STATES if goals.get(key))
    items = listed(goals, "items") if goals.get("items") else [goals["current"]] if goals.get("current") else []
    if not items:
        return text(f"No goals now{f' ({known})' if known else ''}.")
    made = table("ID", "GOAL", "PRIORITY", "STATE", "PROGRESS", "TARGET", right=("ID",), fold="GOAL")
    for each in items:
        made_of: Mapping[str, Any] = each
        priority = _PRIORITIES.get(made_of["priority"], clean(made_of["priority"]))
        words = line(clean(made_of["description"]), (f"  {clean(made_of['result'])}" if made_of["result"] else "", OLD))
        row(
            made,
            text(made_of["id"], OLD),
            words,
            text(priority),
            state(made_of["state"]),
            _progress(made_of["progress"]),
            text(_targets(made_of["target_metrics"]), OLD),
        )
    return stack([line(("Goals: ", TITLE), known), indented(made)])


def _progress(progress: float | None) -> Text:
    if progress is None:
        return text("not known yet", OLD)
    style = FINE if progress >= 1.0 else WAITING
    return bar(progress * 100.0, style, 8).append(f" {progress * 100:.0f} %")


def _targets(targets: Mapping[str, float]) -> str:
    return ", ".join(f"{clean(name)} {metric_text(name, value)}" for name, value in targets.items())


def optimization_view(answer: Mapping[str, Any]) -> RenderableType:
    """The own cost, the counts, and the candidates where the answer has them."""
    cost, memory = answer.get("cost_percent"), answer.get("memory_mb")
    rows: list[tuple[str, Text | str]] = [
        ("own CPU", "not measured yet" if cost is None else f"{figure(cost)} % of one core"),
        ("own memory", "not measured yet" if memory is None else f"{figure(round(memory, 1))} MB"),
        (
            "changes",
            ", ".join(f"{answer[key]} {key.replace('_', ' ')}" for key in _CANDIDATE_STATES if answer.get(key))
            or "none",
        ),
    ]
    rows += [("last", clean(answer["last"]))] if answer.get("last") else []
    candidates = listed(answer, "candidates", "items") if answer.get("candidates") or answer.get("items") else []
    made = table("ID", "COMPONENT", "WHAT", "STATE", "GAIN", "SURE", "NOTE", right=("ID", "GAIN", "SURE"), fold="NOTE")
    for each in candidates:
        item: Mapping[str, Any] = each
        row(
            made,
            text(item["id"], OLD),
            text(item["component"]),
            text(clean(item["optimization_type"]).replace("_", " ")),
            state(item["state"]),
            text(f"{item['expected_improvement'] * 100:.0f} %"),
            text(f"{item['confidence'] * 100:.0f} %"),
            text(item["message"], OLD),
        )
    head = line(("Optimization of the daemon's own cost", TITLE))
    return stack([head, pairs(rows), text("") if candidates else None, indented(made) if candidates else None])
