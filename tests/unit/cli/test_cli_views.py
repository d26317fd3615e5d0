"""The screens as they are printed: all that matters is there, nothing is wider than the terminal, nothing is obeyed."""

import io
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from autonomyd.cli.views.acts import fix_line, fix_table
from autonomyd.cli.views.aims import goals_view, optimization_view
from autonomyd.cli.views.health import health_view
from autonomyd.cli.views.metrics import chart_view, metrics_view
from autonomyd.cli.views.problems import problems
from autonomyd.cli.views.services import service_details
from autonomyd.cli.views.status import status_view
from autonomyd.cli.views.story import story_view


def drawn(view: Any, width: int = 80) -> str:
    """The view as plain text; fails when a line is wider than the terminal."""
    out = io.StringIO()
    Console(file=out, width=width, markup=False, emoji=False, highlight=False, color_system=None).print(view)
    text = out.getvalue()
    assert max(map(cell_len, text.splitlines()), default=0) <= width
    assert "\x1b" not in text
    return text


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_a_calm_status(calm: dict[str, Any], width: int) -> None:
    text = drawn(status_view(calm), width)
    assert text.splitlines()[0].startswith("✔ All is well.")
    assert "web was restarted 3 min ago: healed in 0.4 s" in text
    assert "memory" in text
    assert "61 %" in text
    assert "88 %" in text
    assert "swap" not in text, "no swap in use is no news"
    assert "Problems" not in text


def test_a_calm_status_fits_a_small_terminal(calm: dict[str, Any]) -> None:
    assert len(drawn(status_view(calm)).splitlines()) <= 24


@pytest.mark.parametrize("width", [80, 100])
def test_a_troubled_status(troubled: dict[str, Any], width: int) -> None:
    text = drawn(status_view(troubled), width)
    lines = text.splitlines()
    assert lines[0].startswith("✘ 2 things need you.")
    assert "Automation is paused by root for another 40 min: upgrade of the disks" in text
    assert "`autonomyctl service start cache`" in text
    assert "#7 critical" in text
    assert "on purpose" in text
    assert text.index("#7") < text.index("#9") < text.index("#10"), "what needs a person comes first"
    assert "[red]" in drawn(status_view(troubled), 140), "markup from outside is shown, not obeyed"


def test_an_issue_colours_its_own_bar_only(troubled: dict[str, Any]) -> None:
    troubled["issues"][0]["issue"] |= {"subject": "disk:/var", "metric": "disk.used_percent"}
    out = io.StringIO()
    Console(file=out, width=100, force_terminal=True, color_system="standard").print(status_view(troubled))
    bars = {
        name: line
        for line in out.getvalue().splitlines()
        for name in ("/var", "memory")
        if name in line and "█" in line
    }
    assert "\x1b[31m" in bars["/var"]
    assert "\x1b[31m" not in bars["memory"]


def test_many_services_do_not_flood_the_screen(calm: dict[str, Any]) -> None:
    web = calm["services"]["web"]
    calm["services"] = {f"s{number:03}": web | {"name": f"s{number:03}"} for number in range(100)}
    calm["services"]["s077"]["state"] = "down"
    text = drawn(status_view(calm))
    assert "s077" in text
    assert "and 88 more services, up" in text


def test_the_first_moment(calm: dict[str, Any]) -> None:
    calm["health"] |= {"status": "unknown", "metrics": {}, "trend": "unknown", "subjects": []}
    calm["healing"] |= {"fixes": 0, "last": None, "success_rate": None}
    calm["goals"] |= {"current": None, "pending": 0, "completed": 0}
    calm["optimization"] |= {"cost_percent": None, "memory_mb": None, "proposed": 0, "verified": 0}
    calm["services"] = {}
    calm["loops"]["goals"]["state"] = "starting"
    text = drawn(status_view(calm))
    assert "Nothing is known yet." in text
    assert "nothing was measured yet" in text
    assert "none set" in text
    assert "starting: goals" in text


def test_services_in_detail(troubled: dict[str, Any]) -> None:
    text = drawn(service_details(list(troubled["services"].values()), troubled["at"]))
    assert "connection refused (12 times in a row)" in text
    assert "needs cache" in text
    assert "rss_mb 48.2 MB" in text
    assert "restarted 5 times" in text
    assert "discover" in drawn(service_details([], 0.0))


def test_the_story_of_an_issue(story: dict[str, Any], troubled: dict[str, Any]) -> None:
    text = drawn(story_view(story, troubled["at"]))
    for part in (
        "process 991 is gone",
        "process gone  99 of 100",
        "against  it depends on nothing",
        "✘  not too often",
        "✔  may act here",
        "at most 5 in 5 min",
        "gone again after 2 s",
        "One more restart is tried in 6 min.",
        "then `autonomyctl service start cache`",
    ):
        assert part in text


def test_the_story_tells_what_was_checked_and_learned(story: dict[str, Any], calm: dict[str, Any]) -> None:
    fix = calm["healing"]["last"]
    story["fixes"] = [
        fix | {"outcome": "ineffective", "message": "http: answered 500", "backup_id": "20261121T122729-5"}
    ]
    story["lessons"] = ["restart against process hung on web: 3 of 4 healed"]
    story["related"] = [story["issue"] | {"id": 8, "summary": "cache does not work: tcp failed", "state": "resolved"}]
    text = drawn(story_view(story, calm["at"]))
    assert "What was done, and what was seen after it" in text
    assert "checked  http: answered 500" in text
    assert "autonomyctl rollback 20261121T122729-5" in " ".join(text.split())
    assert "What was learned" in text
    assert "3 of 4 healed" in text
    assert "#8 cache does not work: tcp failed  resolved" in text


def test_the_story_before_anything_was_decided(story: dict[str, Any], troubled: dict[str, Any]) -> None:
    story |= {"diagnosis": None, "decision": None, "kind": None, "transitions": [], "fixes": [], "why": "", "next": ""}
    story["issue"] |= {"state": "open", "next_try_at": None, "value": 91.0, "threshold": 90.0, "metric": "cpu.percent"}
    text = drawn(story_view(story, troubled["at"]))
    assert "undetermined" in text
    assert "nothing yet" in text
    assert "being looked at" in text
    assert "cpu.percent was 91 %; the bound is 90 %" in text


def test_the_story_of_a_notice_asks_for_nothing(story: dict[str, Any], troubled: dict[str, Any]) -> None:
    story |= {"diagnosis": None, "assessment": None, "fixes": [], "why": "It is a notice.", "next": "Nothing."}
    story["issue"] |= {"severity": "notice", "state": "refused", "next_try_at": None}
    text = drawn(story_view(story, troubled["at"]))
    assert "then `autonomyctl service start cache`" not in text
    assert "What it means" not in text
    story |= {"decision": None, "kind": None}
    assert "nothing yet" not in drawn(story_view(story, troubled["at"]))


def test_the_story_of_a_plan(story: dict[str, Any], calm: dict[str, Any]) -> None:
    plan = calm["healing"]["last"]["plan"] | {"preview": ["would remove 3 files"]}
    story |= {"decision": plan, "kind": "plan"}
    story["issue"] |= {"state": "resolved", "resolved_at": calm["at"]}
    text = drawn(story_view(story, calm["at"]))
    assert "restart: confidence 95 of 100, risk low" in text
    assert "would remove 3 files" in text
    assert "nothing: it is over, after 4 min" in text


def test_issues_that_are_over_are_one_line(troubled: dict[str, Any]) -> None:
    over = troubled["issues"][0]
    over["issue"] |= {"state": "resolved", "resolved_at": troubled["at"] - 60}
    text = drawn(problems([over], troubled["at"], most=5))
    assert text.strip() == "#7 critical  cache is down: killed by SIGKILL  over 1 min ago, lasted 3 min"
    assert "and 2 more problems" in drawn(problems(troubled["issues"], troubled["at"], most=1))


def test_fixes(calm: dict[str, Any]) -> None:
    fix = calm["healing"]["last"]
    running = fix | {"ended_at": None, "outcome": None, "state": "applying", "actor": "uid=4294967294 pid=3"}
    text = drawn(fix_table([fix, running], calm["at"]))
    assert "healed" in text
    assert "applying" in text
    assert "user 4294967294" in text
    asked = fix | {"plan": fix["plan"] | {"cause": "requested"}, "actor": "start-up"}
    assert drawn(fix_line(asked, calm["at"])).strip() == "web was restarted 3 min ago: done in 0.4 s (at start-up)"
    assert drawn(fix_table([], 0.0)).strip() == "Nothing was done so far."


def test_goals_and_optimization(calm: dict[str, Any]) -> None:
    goal = calm["goals"]["current"] | {"target_metrics": {"disk:/var.used_percent": 85.0}}
    unknown = goal | {"progress": None, "state": "pending"}
    text = drawn(goals_view(calm["goals"] | {"items": [goal, unknown]}), 120)
    assert "40 %" in text
    assert "not known yet" in text
    assert "disk:/var.used_percent 85 %" in text
    candidate = {
        "id": 1,
        "component": "web/http",
        "optimization_type": "probe_interval",
        "state": "verified",
        "expected_improvement": 0.5,
        "confidence": 0.9,
        "message": "half the looks",
    }
    text = drawn(optimization_view(calm["optimization"] | {"candidates": [candidate]}), 100)
    assert "0.05 % of one core" in text
    assert "probe interval" in text


def test_health(troubled: dict[str, Any]) -> None:
    text = drawn(health_view(troubled["health"]))
    assert text.index("service:cache") < text.index("host"), "the worst comes first"
    assert "PSI: not offered by this kernel" in text


def test_metrics_and_their_chart() -> None:
    series = {"name": "host/cpu.percent", "unit": "%", "last": 23.4, "min": None, "max": 97.0, "count": 10}
    assert "23.4 %" in drawn(metrics_view([series]))
    assert "Nothing was measured yet." in drawn(metrics_view([]))
    columns = ("at", "values", "low", "high", "last", "count", "step_s")
    points = [(0.0, 10.0, 10.0, 10.0, 10.0, 1, 0.0), (10.0, *[None] * 4, 0, 0.0), (20.0, *[50.0] * 4, 1, 0.0)]
    values = {name: [point[place] for point in points] for place, name in enumerate(columns)}
    answer = {"name": "host/cpu.percent", "unit": "%", **values}
    text = drawn(chart_view(answer, 1800.0), 140)
    assert "2 samples" in text
    assert "dotted" not in text
    empty = answer | {name: [] for name in columns}
    assert "no samples in the last 30 min" in drawn(chart_view(empty, 1800.0))
