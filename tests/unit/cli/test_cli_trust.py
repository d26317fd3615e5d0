"""Approvals, trust, calibration and outcomes as a person sees them; and what the verbs do with a wrong call."""

import io
from typing import Any

import pytest
from click.testing import CliRunner
from rich.cells import cell_len
from rich.console import Console

from autonomyd.cli import exits
from autonomyd.cli.ctl import run
from autonomyd.cli.verbs import approve, outcomes
from autonomyd.cli.views.trust import approval_table, calibration_view, outcome_table, trust_view

NOW = 1.7e9
PLAN = {"strategy": "restart", "cause": "process_hung", "preview": ["restart web"], "steps": []}


def drawn(view: Any, width: int = 100) -> str:
    out = io.StringIO()
    Console(file=out, width=width, markup=False, emoji=False, highlight=False, color_system=None).print(view)
    text = out.getvalue()
    assert max(map(cell_len, text.splitlines()), default=0) <= width
    assert "\x1b" not in text
    return text


def approval(**more: Any) -> dict[str, Any]:
    base = {
        "id": 7, "issue_id": 3, "plan": PLAN, "message": "confidence 60 is under 85", "asked_at": NOW, "actor": "",
        "expires_at": NOW + 3600, "state": "waiting", "note": "", "default": "nothing is done", "decided_at": None,
    }  # fmt: skip
    return base | more


def row(**more: Any) -> dict[str, Any]:
    base = {
        "service": "web", "strategy": "restart", "configured": "act", "level": "act", "proposed": "act", "why": "fine",
        "total": 5, "healed": 4, "shadow_right": 0, "shadow_total": 0, "quarantined_until": None,
    }  # fmt: skip
    return base | more


def report(**more: Any) -> dict[str, Any]:
    return {"rows": [], "consents": [], "shadow": [], "calibration": {"count": 0, "brier": None, "bins": []}} | more


@pytest.mark.parametrize("width", [80, 120])
def test_what_waits(width: int) -> None:
    text = drawn(approval_table([approval(), approval(id=6, state="denied", actor="uid=99999 pid=1")], NOW), width)
    assert "restart web" in text
    assert "waits for you" in text
    assert "denied by user 99999" in " ".join(text.split())


def test_outside_text_is_not_obeyed() -> None:
    assert "\x1b" not in drawn(approval_table([approval(message="\x1b[31mred", note="\x1b]0;x\x07")], NOW))


def test_trust_shows_what_fell_and_what_is_deserved() -> None:
    fallen = row(level="ask", why="it fell", quarantined_until=NOW + 60)
    better = row(service="", strategy="free-disk-space", level="ask", configured="ask", proposed="act")
    case = {"at": NOW, "plan": PLAN, "issue_id": 3, "verdict": "agreed"}
    consent = {"service": "web", "strategy": "restart", "cause": "process_hung", "at": NOW, "actor": "uid=99999 pid=1"}
    text = drawn(trust_view(report(rows=[fallen, better], consents=[consent], shadow=[case]), NOW), 120)
    assert "4 of 5" in text
    assert "passed over until" in text
    assert "the machine" in text
    assert "a person did the same" in text
    assert "Allowed for good" in text
    assert drawn(trust_view(report(), NOW)).startswith("Nothing is known yet")


def test_calibration_reads_said_and_was_right() -> None:
    bins = [{"low": 90.0, "high": 100.0, "count": 10, "right": 8, "said": 93.2}]
    text = drawn(calibration_view({"count": 10, "brier": 0.16, "bins": bins}))
    assert "93 %" in text
    assert "80 %" in text
    assert "0.160" in text
    assert drawn(calibration_view({"count": 0, "brier": None, "bins": []})).startswith("Nothing is known yet")


def test_outcomes_are_lines() -> None:
    lesson = {
        "at": NOW, "service": "", "strategy": "", "cause": None, "kind": "raised", "said": 0.0, "actor": "autonomyd",
    }  # fmt: skip
    assert "all of them" in drawn(outcome_table([lesson], NOW))
    assert drawn(outcome_table([], NOW)).startswith("Nothing was learned")


@pytest.mark.parametrize(
    "words",
    [["approve", "seven"], ["always"], ["always", "1", "--revoke", "web", "restart"], ["trust", "--fix", "restart"],
     ["trust", "--raise", "web", "--release", "web"]],
)  # fmt: skip
def test_a_wrong_call_is_told_before_the_daemon_is_asked(words: list[str]) -> None:
    assert run(words) == exits.USAGE


@pytest.mark.parametrize("command", [approve.command, outcomes.command])
def test_the_help_has_the_exit_codes(command: Any) -> None:
    assert "Exit codes" in CliRunner().invoke(command, ["--help"]).output
