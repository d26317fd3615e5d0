"""The dependency graph as a drawn tree: each service with what it needs below it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from autonomyd.cli.screen import OLD, TITLE, WAITING, indented, line, stack, state, text, title, unicode_terminal
from autonomyd.cli.words import ago, clean

DEEPEST = 12
Edge = Mapping[str, Any]


def graph_view(graph: Mapping[str, Any], now: float) -> RenderableType:
    """A tree for each service that nobody needs; one that was shown already is named only. Then what belongs together,
    and what could not be looked at."""
    nodes = {clean(each["name"]): each for each in graph["nodes"]}
    if not nodes:
        return text("No service is configured; `autonomyctl discover` finds what could be.")
    needs: dict[str, dict[str, list[Edge]]] = {}
    for edge in graph["edges"]:
        needs.setdefault(clean(edge["child"]), {}).setdefault(clean(edge["parent"]), []).append(edge)
    needed = {parent for parents in needs.values() for parent in parents}
    tops = [name for name in nodes if name not in needed]
    shown: set[str] = set()
    drawn: list[RenderableType] = [title("Who needs whom", "a service, and below it what it needs")]
    for name in (*tops, *nodes):  # the second round is for those that need each other in a circle
        if name not in shown:
            drawn += (indented(each) for each in _tree(name, nodes, needs, shown, now))
    return stack([*drawn, *_groups(graph["nodes"]), *_unseen(graph.get("unseen") or ())])


def _tree(
    top: str, nodes: Mapping[str, Any], needs: Mapping[str, Mapping[str, list[Edge]]], shown: set[str], now: float
) -> Iterator[Text]:
    fork, last, bar, blank = ("├─ ", "└─ ", "│  ", "   ") if unicode_terminal() else ("|- ", "`- ", "|  ", "   ")
    waiting: list[tuple[str, str, str, list[Edge]]] = [(top, "", "", [])]
    while waiting:
        name, lead, indent, edges = waiting.pop()
        again = name in shown
        yield _node(name, lead, nodes, edges, again, now)
        shown.add(name)
        if again or len(indent) // len(blank) >= DEEPEST:
            continue
        parents = list(needs.get(name, {}).items())
        below = [
            (
                parent,
                indent + (last if index == len(parents) - 1 else fork),
                indent + (blank if index == len(parents) - 1 else bar),
                its,
            )
            for index, (parent, its) in enumerate(parents)
        ]
        waiting += reversed(below)


def _node(name: str, lead: str, nodes: Mapping[str, Any], edges: Sequence[Edge], again: bool, now: float) -> Text:
    made = line((lead, OLD), (name, TITLE if not lead else ""), "  ")
    if name in nodes:
        made.append_text(state(nodes[name]["state"]))
    if edges:
        made.append(f"  {'; '.join(_known(each, now) for each in edges)}", style=OLD)
    return made.append("  (above)", style=OLD) if again else made


def _known(edge: Edge, now: float) -> str:
    seen_at = edge.get("seen_at")
    return clean(edge["how"]) if seen_at is None else f"{clean(edge['how'])} ({ago(seen_at, now)})"


def _groups(nodes: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
    together: dict[str, list[str]] = {}
    for node in nodes:
        for group in node["groups"]:
            together.setdefault(clean(group), []).append(clean(node["name"]))
    shared = {group: names for group, names in together.items() if len(names) > 1}
    if not shared:
        return
    yield text("")
    yield title("What belongs together")
    for group, names in shared.items():
        yield indented(line((f"{group}  ", OLD), ", ".join(names)))


def _unseen(unseen: Sequence[object]) -> Iterator[RenderableType]:
    if not unseen:
        return
    yield text("")
    yield title("What could not be looked at")
    for each in unseen:
        yield indented(text(each, WAITING))
