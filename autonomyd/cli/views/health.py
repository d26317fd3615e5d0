"""Health overall and by subject."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType

from autonomyd.cli.screen import OLD, TITLE, indented, line, row, stack, state, style_of, table, text

_WORST_FIRST = ("failing", "critical", "degraded", "unknown", "healthy")


def health_view(health: Mapping[str, Any]) -> RenderableType:
    """The overall state, the subjects with the worst first, and what cannot be measured here."""
    overall = str(health["status"])
    head = line(("Overall: ", TITLE), (overall, f"bold {style_of(overall)}".strip()))
    trend = str(health["trend"])
    head.append(f"  {trend} over the last half hour" if trend != "unknown" else "", style=OLD)
    made = table("SUBJECT", "HEALTH", "WHY", fold="WHY")
    for each in sorted(health["subjects"], key=lambda each: (_rank(each["status"]), each["subject"])):
        row(made, text(each["subject"]), state(each["status"]), text(each["reason"]))
    unknown = health.get("unknown") or ()
    notes = [text(""), text("Not measured on this machine:", OLD)] if unknown else []
    return stack(
        [head, indented(made) if made.row_count else None, *notes, *(indented(text(each, OLD)) for each in unknown)]
    )


def _rank(status: str) -> int:
    return _WORST_FIRST.index(status) if status in _WORST_FIRST else 0
