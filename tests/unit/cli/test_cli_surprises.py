"""The surprises as they are printed."""

import io
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from autonomyd.cli.views.surprises import SHOWN, surprises_view

NOW = 1_760_000_000.0


def drawn(answer: dict[str, Any], width: int = 100) -> str:
    out = io.StringIO()
    Console(file=out, width=width, markup=False, highlight=False, color_system=None).print(surprises_view(answer, NOW))
    text = out.getvalue()
    assert max(map(cell_len, text.splitlines()), default=0) <= width
    return text


def surprise(number: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "at": NOW - 60.0 - number,
        "subject": "service:web",
        "metric": "latency_ms",
        "unit": "ms",
        "value": 2000.0,
        "expected": 21.3,
        "score": 0.62,
        **more,
    }


def answer(**more: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"newest": [], "contributors": [], "learning": []}
    return {"threshold": 0.535, "known": 12, "refused": 0, "crowded_out": 0, **empty, **more}


def test_nothing_measured_and_nothing_surprising() -> None:
    assert "Nothing is measured yet." in drawn(answer(known=0))
    text = drawn(answer())
    assert "Nothing surprising was seen in this time." in text
    assert "All 12 series are known." in text


@pytest.mark.parametrize("width", [60, 80, 140])
def test_a_surprise_with_its_bar(width: int) -> None:
    text = drawn(answer(newest=[surprise(metric="a\x1b[31mb")]), width)
    assert "web" in text
    assert "\x1b" not in text


def test_values_expectations_and_ranking() -> None:
    found = [surprise(), surprise(metric="cpu_percent", unit="%", value=97.0, expected=12.0, score=0.55)]
    text = drawn(answer(newest=found, contributors=found))
    assert text.index("What contributes most") < text.index("In order of time")
    assert "2000 ms" in text
    assert "21.3 ms" in text
    assert "0.62" in text


def test_many_are_cut_and_counted() -> None:
    text = drawn(answer(newest=[surprise(number) for number in range(SHOWN + 7)], crowded_out=3))
    assert text.count("latency_ms") == SHOWN
    assert "7 earlier ones are not shown" in text
    assert "more series than are judged" in text


def test_what_is_still_learned_is_named() -> None:
    learning = [
        {"subject": "service:web", "metric": f"m{number}", "samples": 30, "least": 100, "left_s": 600.0}
        for number in range(8)
    ]
    text = drawn(answer(learning=learning))
    assert "learning 8 of 12 series, for 10 min at least: web/m0" in text
    assert "..." in text
    assert "until there are samples enough" in drawn(answer(learning=[{**learning[0], "left_s": 0.0}]))
