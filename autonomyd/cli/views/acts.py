"""Fixes in words: "web was restarted 3 min ago: healed in 0.4 s"."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from autonomyd.cli.screen import BAD, FINE, OLD, WAITING, indented, line, row, stack, style_of, table, text
from autonomyd.cli.views.deeds import deed
from autonomyd.cli.words import ago, clean, duration, moment, person

Fix = Mapping[str, Any]

_OUTCOMES = {
    "healed": "healed",
    "ineffective": "it did not help",
    "rolled_back": "it did not help and was undone",
    "worsened": "it made things worse",
    "unverified": "whether it helped is not known",
}
_SELF = "autonomyd"
_START = "start-up"


def ending(fix: Fix) -> Text:
    """What came of a fix."""
    if fix["ended_at"] is None:
        return text(clean(fix["state"]).replace("_", " "), WAITING)
    took = duration(fix["ended_at"] - fix["started_at"])
    outcome = fix["outcome"]
    if outcome is None:
        bad = fix["state"] in ("rolled_back", "rollback_failed")
        return text(f"{clean(fix['state']).replace('_', ' ')} in {took}", BAD if bad else FINE)
    words = "done" if _asked(fix) and outcome == "healed" else _OUTCOMES.get(outcome, clean(outcome))
    return text(f"{words} in {took}" if outcome == "healed" else words, style_of(outcome))


def _asked(fix: Fix) -> bool:
    """Whether somebody asked for it: then nothing was ill, and "healed" would be the wrong word."""
    return bool(fix["plan"].get("cause") == "requested")


def fix_line(fix: Fix, now: float) -> Text:
    """One fix as one sentence."""
    at = fix["ended_at"] or fix["started_at"]
    running = fix["ended_at"] is None
    made = line(f"{deed(fix['plan']['steps'])} ", ("now" if running else ago(at, now), OLD), ": ")
    made.append_text(ending(fix))
    actor = clean(fix["actor"])
    if actor not in ("", _SELF):
        made.append(" (at start-up)" if actor == _START else f" (asked by {person(actor)})", style=OLD)
    return made


def fix_table(fixes: Sequence[Fix], now: float) -> RenderableType:
    """Fixes, one a line."""
    if not fixes:
        return text("Nothing was done so far.")
    made = table("ID", "WHEN", "WHAT WAS DONE", "OUTCOME", "TOOK", "BY", right=("ID", "TOOK"), fold="WHAT WAS DONE")
    for fix in fixes:
        took = "" if fix["ended_at"] is None else duration(fix["ended_at"] - fix["started_at"])
        outcome = "done" if _asked(fix) and fix["outcome"] == "healed" else fix["outcome"] or fix["state"]
        issue = fix["plan"].get("issue_id")
        done = line(deed(fix["plan"]["steps"]), (f"  for #{issue}" if issue else "", OLD))
        trouble = clean(fix["message"]) if outcome not in ("healed", "committed", "done") else ""
        if trouble:
            done.append(f"\n{trouble}", style=OLD)
        row(
            made,
            text(fix["id"], OLD),
            text(moment(fix["started_at"], now), OLD),
            done,
            text(clean(outcome).replace("_", " "), style_of(outcome)),
            text(took, OLD),
            text(person(fix["actor"]), OLD),
        )
    return made


def last_fixes(fixes: Sequence[Fix], now: float) -> RenderableType:
    """Fixes as sentences, for `status`."""
    return indented(stack([fix_line(fix, now) for fix in fixes]))
