"""Issues as a person meets them: what is wrong, what is being done, what to do. Shared by `status` and `issues`."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType

from autonomyd.cli.screen import BAD, OLD, TITLE, WAITING, indented, line, pairs, stack, text
from autonomyd.cli.views.verdict import advice, doing
from autonomyd.cli.words import ago, clean, count, duration

Item = Mapping[str, Any]

_ORDER = ("critical", "warning")


def problems(items: Sequence[Item], now: float, *, most: int) -> RenderableType:
    """At most `most` issues, those that need a person first, then the worst and the newest."""
    ranked = sorted(items, key=_rank)
    parts = [one_problem(item, now) for item in ranked[:most]]
    rest = len(ranked) - most
    more = indented(text(f"and {count(rest, 'more problem')}: `autonomyctl issues`", OLD)) if rest > 0 else None
    return stack([*parts, more])


def one_problem(item: Item, now: float) -> RenderableType:
    """One issue in two or three lines."""
    issue = item["issue"]
    over = issue["state"] in ("resolved", "muted")
    colour = OLD if over else BAD if issue["severity"] == "critical" else WAITING
    head = line(
        (f"#{issue['id']} ", OLD),
        (clean(issue["severity"]), colour),
        "  ",
        (clean(issue["summary"]) or clean(issue["type"]), OLD if over else TITLE),
        (f"  {since(issue, now)}", OLD),
    )
    if over:
        return indented(head)
    needed = advice(item)
    rows = [("now", text(doing(item, now)))]
    for index, advised in enumerate(needed.splitlines() if needed else ()):
        rows.append(("" if index else "you", text(advised, TITLE)))
    return indented(stack([head, pairs(rows)]))


def since(issue: Mapping[str, Any], now: float) -> str:
    """Since when it is there, or how long it lasted."""
    if issue["resolved_at"] is not None:
        lasted = duration(issue["resolved_at"] - issue["opened_at"])
        return f"over {ago(issue['resolved_at'], now)}, lasted {lasted}"
    return f"since {duration(now - issue['opened_at'])}"


def _rank(item: Item) -> tuple[bool, bool, int, float]:
    issue = item["issue"]
    worst = _ORDER.index(issue["severity"]) if issue["severity"] in _ORDER else len(_ORDER)
    return (issue["state"] in ("resolved", "muted"), advice(item) is None, worst, -issue["opened_at"])
