"""Long charts, back-tests and learned thresholds as they are printed: never wider than the terminal, never obeyed."""

import io
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from autonomyd.cli.views.backtest import backtest_view, lead_words
from autonomyd.cli.views.metrics import chart_view, metrics_view
from autonomyd.cli.views.tune import tune_view
from autonomyd.model.trial import Alarm, BackTestReport, Score, Trial
from autonomyd.model.tuning import Advice, AdviceState, TuningReport
from autonomyd.model.wire import plain

NOW = 1_760_000_000.0
DAY_S = 86400.0
SCORE = Score(
    alarms=12,
    hits=1,
    missed=1,
    false_alarms=11,
    fixed=0,
    raised_s=7000.0,
    longest_s=900.0,
    covered_s=14 * DAY_S,
    lead_s=200,
)
ALARMS = (
    Alarm(raised_at=NOW - DAY_S, cleared_at=NOW - DAY_S + 900, lowest=81.0, highest=99.0, issue=7, lead_s=200.0),
    Alarm(raised_at=NOW - 600, cleared_at=None, lowest=81.0, highest=99.0),
)


def drawn(view: Any, width: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, width=width, markup=False, emoji=False, highlight=False, color_system=None).print(view)
    text = out.getvalue()
    assert max(map(cell_len, text.splitlines()), default=0) <= width
    assert "\x1b" not in text
    return text


def trial(**more: Any) -> Trial:
    base: dict[str, Any] = {"name": "host/cpu.percent", "unit": "%", "since": NOW - 14 * DAY_S, "until": NOW}
    return Trial(**base, score=SCORE, alarms=ALARMS, missed=(9,), **more)


def report(*trials: Trial, **more: Any) -> Any:
    base: dict[str, Any] = {"rule": "cpu\x1b[2J_percent", "words": "over 80", "at": NOW, "since": NOW - 30 * DAY_S}
    return plain(BackTestReport(**base, step_s=60, trials=trials, **more))


@pytest.mark.parametrize("width", [80, 120])
def test_a_back_test(width: int) -> None:
    text = drawn(backtest_view(report(trial(), unreached=3), NOW), width)
    assert "cpu_percent  over 80" in text
    assert "of 30 days 14 days are recorded" in text
    assert "3 min earlier" in text
    assert "no problem was recorded" in text
    assert "still raised" in text
    assert "and 10 before" in text
    assert "no alarm for #9" in text
    assert "3 series more were not reached" in text


def test_a_back_test_of_nothing() -> None:
    assert "nothing is recorded since" in drawn(backtest_view(report(), NOW))


def test_how_much_earlier() -> None:
    assert [lead_words(lead) for lead in (None, 0.0, 40.0, -90.0)] == ["-", "at once", "40 s earlier", "1 min later"]


def advice(**more: Any) -> Advice:
    base: dict[str, Any] = {"name": "cpu_percent", "state": AdviceState.CHANGE, "enter": 80.0, "clear": 75.0}
    learned = {"new_enter": 55.0, "new_clear": 50.0, "usual": 30.123, "rare": 50.5, "alarms": 0.0, "new_alarms": 1.04}
    return Advice(**(base | learned | {"why": "it is usually at 30 %"} | more))


@pytest.mark.parametrize("width", [80, 120])
def test_learned_thresholds_with_the_change_of_the_file(width: int) -> None:
    waits = Advice(name="load_per_core", state=AdviceState.WAITS, enter=2.0, clear=1.5, why="7 days are needed")
    diff = "--- /etc/a.toml\n+++ /etc/a.toml\n@@ -1 +1 @@\n-cpu_percent = 80 # [red]x\n+cpu_percent = 55 # [red]x\n"
    made = TuningReport(at=NOW, file="/etc/a.toml", advice=(advice(), waits), diff=diff)
    text = drawn(tune_view(plain(made), NOW), width)
    assert "+cpu_percent = 55 # [red]x" in text
    assert "0, then 1" in text
    assert "too early" in text
    assert "7 days are needed" in text
    assert "Nothing was written" in text


def test_nothing_to_change_and_nothing_that_can_be_shown() -> None:
    fits = advice(state=AdviceState.FITS, new_enter=None, new_clear=None, new_alarms=None)
    assert "There is nothing to change." in drawn(tune_view(plain(TuningReport(at=NOW, file="", advice=(fits,))), NOW))
    odd = TuningReport(at=NOW, file="/etc/a.toml", advice=(advice(),), problem="set it by hand: cpu_percent = 55")
    assert "set it by hand" in drawn(tune_view(plain(odd), NOW))
    assert "Nothing is recorded yet" in drawn(tune_view(plain(TuningReport(at=NOW, file="", advice=())), NOW))


@pytest.mark.parametrize(("step_s", "shape"), [(60.0, ":"), (3600.0, " "), (43200.0, "20")])
def test_a_long_chart_has_a_band_and_dates(step_s: float, shape: str) -> None:
    ats = [NOW + number * step_s for number in range(800)]
    columns: dict[str, list[float]] = {"at": ats, "values": [50.0] * 800, "low": [20.0] * 800, "high": [90.0] * 800}
    more = {"last": [50.0] * 800, "count": [6] * 800, "step_s": [step_s] * 800}
    text = drawn(chart_view({"name": "host/cpu.percent", "unit": "%", **columns, **more}, 800 * step_s))
    assert "dotted: lowest to highest of" in text
    assert "min 20 %   mean 50 %   max 90 %   last 50 %   4800 samples" in text
    assert shape in text


def test_the_list_says_how_far_back() -> None:
    base = {"unit": "%", "last": 1.0, "min": 1.0, "max": 1.0, "count": 3}
    import time

    old = {"name": "host/cpu.percent", **base, "since": time.time() - 40 * DAY_S}
    gone = {"name": "service:gone/rss_mb", **base, "last": None, "min": None, "max": None, "count": 0, "since": None}
    text = drawn(metrics_view([old, gone]))
    assert "40 days" in text
    assert "service:gone/rss_mb" in text
