"""The drawn graph: a tree, circles that end, nothing from outside obeyed."""

import io
from itertools import pairwise
from typing import Any

import pytest
from rich.console import Console

from autonomyd.cli.views import graph as view
from autonomyd.cli.views.assessment import assessment_lines, suspect_lines
from autonomyd.cli.views.graph import graph_view

NOW = 1_000_000.0


def drawn(*parts: Any) -> str:
    out = io.StringIO()
    console = Console(file=out, width=100, markup=False, emoji=False, highlight=False, color_system=None)
    for part in parts:
        console.print(part)
    assert "\x1b" not in out.getvalue()
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def node(name: str, state: str = "up", *groups: str) -> dict[str, Any]:
    return {"name": name, "state": state, "groups": list(groups)}


def edge(child: str, parent: str, how: str = "declared: depends_on", seen_at: float | None = None) -> dict[str, Any]:
    return {"child": child, "parent": parent, "kind": "declared", "how": how, "seen_at": seen_at}


@pytest.fixture(autouse=True)
def unicode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "unicode_terminal", lambda: True)


def test_a_tree_with_what_each_needs_below_it() -> None:
    graph = {
        "nodes": [node("db", "up", "stack shop"), node("web", "failing", "stack shop"), node("cache"), node("cron")],
        "edges": [
            edge("web", "db", "seen: it is connected to port 5432", NOW - 180.0),
            edge("web", "cache"),
            edge("cache", "db"),
        ],
        "unseen": ["cron: hidden"],
    }
    assert drawn(graph_view(graph, NOW)).splitlines() == [
        "Who needs whom  a service, and below it what it needs",
        "  web  failing",
        "  ├─ db  up  seen: it is connected to port 5432 (3 min ago)",
        "  └─ cache  up  declared: depends_on",
        "     └─ db  up  declared: depends_on  (above)",
        "  cron  up",
        "",
        "What belongs together",
        "  stack shop  db, web",
        "",
        "What could not be looked at",
        "  cron: hidden",
    ]


def test_a_circle_ends_and_every_service_is_shown() -> None:
    graph = {"nodes": [node("a"), node("b")], "edges": [edge("a", "b"), edge("b", "a")]}
    text = drawn(graph_view(graph, NOW))
    assert text.count("(above)") == 1
    assert "a  up" in text
    assert "b  up" in text


def test_a_long_chain_is_cut_and_its_end_is_still_shown() -> None:
    names = [f"s{number}" for number in range(40)]
    graph = {
        "nodes": [node(name) for name in names],
        "edges": [edge(a, b) for a, b in pairwise(names)],
    }
    text = drawn(graph_view(graph, NOW))
    assert all(f"{name}  up" in text for name in names)


def test_without_services_it_says_what_to_do() -> None:
    assert "autonomyctl discover" in drawn(graph_view({"nodes": [], "edges": []}, NOW))


def test_text_from_outside_moves_nothing() -> None:
    hostile = "\x1b[31m[bold]x"
    graph = {"nodes": [node(hostile), node("b")], "edges": [edge(hostile, "b", hostile)], "unseen": [hostile]}
    assert "[bold]x" in drawn(graph_view(graph, NOW))


def test_what_it_means_and_what_moved() -> None:
    found = {
        "severity": "critical",
        "affected": ["api", "web"],
        "complexity": "low",
        "fix_type": "configuration",
        "fix_s": 90.0,
        "fix_from": "the median of 4 repairs of this kind",
        "why": ["2 causes are likely"],
    }
    moved = {"share": 81.3, "words": "rss_mb of service:db rose from 100 MB to 900 MB (40 times its usual spread)"}
    text = drawn(*suspect_lines([moved]), *assessment_lines(found))
    assert " 81 %  rss_mb of service:db rose" in text
    assert "2 services: api, web" in text
    assert "low complexity, in configuration (2 causes are likely)" in text
    assert "about 1 min (the median of 4 repairs of this kind)" in text
    assert drawn(*suspect_lines([]), *assessment_lines(None)) == ""
