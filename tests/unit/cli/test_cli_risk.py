"""Risks, predictions, why-not and the context of a decision as a person sees them; wrong calls; hostile text."""

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from autonomyd.cli import exits
from autonomyd.cli.ctl import VERBS, run
from autonomyd.cli.views.predictions import predictions_view
from autonomyd.cli.views.risk import chance, risk_view
from autonomyd.cli.views.story import CONTEXT, GATES, story_view
from autonomyd.cli.views.why_not import why_not_view
from autonomyd.model.decision import DecisionContext, Standing, StrategyVerdict, Weighed, WhyNot
from autonomyd.model.diagnosis import Cause
from autonomyd.model.plan import GateName
from autonomyd.model.prediction import Prediction, PredictionKind, PredictionReport, Verdict
from autonomyd.model.risk import RiskKey, RiskOf, RiskReport, RiskRow, RiskScore, RiskWay
from autonomyd.model.subject import Subject
from autonomyd.model.wire import plain

NOW = 1.7e9
WEB = Subject("service:web")
EVIL = "\x1b[31mred\x1b]0;title\x07\u202e"
UNTRIED = RiskScore(cases=0, happened=0, brier=None, log_loss=None, precision=None, recall=None)
TRIED = RiskScore(cases=90, happened=30, brier=0.123, log_loss=0.4, precision=0.9, recall=None)


def drawn(view: Any, width: int = 100) -> str:
    out = io.StringIO()
    Console(file=out, width=width, markup=False, emoji=False, highlight=False, color_system=None).print(view)
    text = out.getvalue()
    assert max(map(cell_len, text.splitlines()), default=0) <= width
    assert "\x1b" not in text
    assert "\u202e" not in text
    return " ".join(text.split())


def row(key: RiskKey, **more: Any) -> RiskRow:
    fields: dict[str, Any] = {
        "key": key, "count": 4, "a_day": 0.5, "last_at": NOW - 3600.0, "present": False, "by_frequency": 0.31,
        "by_gaps": 0.82, "used": RiskWay.GAPS, "frequency": UNTRIED, "gaps": TRIED,
    }  # fmt: skip
    return RiskRow(**(fields | more))


def risks(*rows: RiskRow) -> Any:
    report = RiskReport(at=NOW, since=NOW - 30 * 86400.0, k=4.0, norm=0.69, rows=rows, frequency=TRIED, gaps=UNTRIED)
    return plain(report)


def prediction(**more: Any) -> Prediction:
    fields: dict[str, Any] = {
        "id": 1, "made_at": NOW - 600.0, "kind": PredictionKind.FAILURE, "subject": WEB, "metric": "process",
        "words": "service down (process) comes again", "probability": 0.82, "from_at": NOW - 600.0,
        "until_at": NOW + 80_000.0,
    }  # fmt: skip
    return Prediction(**(fields | more))


def predictions(open_: tuple[Prediction, ...] = (), judged: tuple[Prediction, ...] = (), **more: Any) -> Any:
    fields: dict[str, Any] = {
        "at": NOW, "since": NOW - 86400.0, "open": open_, "judged": judged, "right": 0, "wrong": 0, "void": 0,
        "foretold": 0, "missed": 0, "precision": None, "recall": None, "lead_s": None,
    }  # fmt: skip
    return plain(PredictionReport(**(fields | more)))


def why(*verdicts: StrategyVerdict, **more: Any) -> Any:
    fields: dict[str, Any] = {
        "issue_id": 7, "summary": "web hangs", "decision": "", "cause": Cause.PROCESS_HUNG, "note": "",
        "verdicts": verdicts,
    }  # fmt: skip
    return plain(WhyNot(**(fields | more)))


RESTART = StrategyVerdict(
    strategy="restart", rung=1, standing=Standing.CHOSEN, why="confidence 78 is under 85", cause=Cause.PROCESS_HUNG,
    confidence=78.0, short_by=7.0, gate="confidence", saw="78", needs="at least 85 of 100", retry_at=NOW + 60.0,
)  # fmt: skip
OTHER = StrategyVerdict(strategy="clean", rung=0, standing=Standing.OTHER_CAUSE, why="it is for disk filling")


@pytest.mark.parametrize("width", [80, 120])
def test_risks_show_both_figures_their_scores_and_the_one_in_use(width: int) -> None:
    problem = RiskKey(of=RiskOf.PROBLEM, subject=WEB, name="service_down process")
    pattern = RiskKey(of=RiskOf.PATTERN, subject=WEB, name="refused")
    whole = RiskKey(of=RiskOf.COMPONENT, subject=WEB)
    text = drawn(risk_view(risks(row(problem), row(pattern, present=True), row(whole)), NOW, most=20), width)
    for part in ("service down process", "in its log", "any problem", "31 %", "82 % (0.12)", "there now", "4 times"):
        assert part in text
    assert "1 / (1 + e^(-4 (times a day - 0.69)))" in text
    assert "90 %" in text


def test_only_the_riskiest_are_shown_unless_asked() -> None:
    rows = [row(RiskKey(of=RiskOf.COMPONENT, subject=Subject(f"service:{number}"))) for number in range(30)]
    assert "and 10 more" in drawn(risk_view(risks(*rows), NOW, most=20))
    assert "more" not in drawn(risk_view(risks(*rows), NOW, most=30))
    assert "Nothing has gone wrong" in drawn(risk_view(risks(), NOW, most=20))


def test_nothing_is_certain() -> None:
    assert [chance(each) for each in (0.0, 0.004, 0.5, 0.996, 1.0)] == ["<1 %", "<1 %", "50 %", ">99 %", ">99 %"]


@pytest.mark.parametrize("width", [80, 120])
def test_predictions_with_verdicts_and_figures(width: int) -> None:
    fills = prediction(kind=PredictionKind.EXHAUSTION, from_at=NOW + 3600.0, words="it reaches 100%", probability=0.8)
    right = prediction(verdict=Verdict.RIGHT, judged_at=NOW - 60.0, why="it came after 9 min", came_at=NOW - 60.0)
    report = predictions(
        (prediction(), fills), (right, replace(right, verdict=Verdict.VOID, why="a restart came between")),
        right=3, wrong=1, void=2, foretold=3, missed=1, precision=0.75, recall=0.75, lead_s=7200.0,
    )  # fmt: skip
    text = drawn(predictions_view(report, NOW), width)
    for part in ("82 %", "in 1 h to 22 h", "right", "it came after 9 min", "void", "75 % came true", "3 of 4 failures"):
        assert part in text
    assert "2 h before, in the median" in text


def test_predictions_before_the_first() -> None:
    text = drawn(predictions_view(predictions(), NOW))
    assert "nothing at the moment" in text
    assert "no verdict yet" in text


@pytest.mark.parametrize("width", [80, 120])
def test_why_not_as_a_table(width: int) -> None:
    text = drawn(why_not_view([why(RESTART, OTHER)], NOW, everything=False), width)
    for part in ("#7 web hangs", "cause: process hung", "next, held", "78, 7 short", "sure enough", "in 1 min"):
        assert part in text
    assert "1 remedy for other causes" in text
    assert "it is for disk filling" in drawn(why_not_view([why(RESTART, OTHER)], NOW, everything=True), width)


def test_why_not_without_a_cause_or_a_problem() -> None:
    unknown = why(OTHER, cause=None, note="no rule explains it", decision="a person muted it")
    text = drawn(why_not_view([unknown], NOW, everything=False))
    assert "the cause is not known: no rule explains it" in text
    assert "a person muted it" in text
    assert "No open problems" in drawn(why_not_view([], NOW, everything=False))


def test_outside_text_is_not_obeyed() -> None:
    key = RiskKey(of=RiskOf.PATTERN, subject=Subject(EVIL), name=EVIL)
    drawn(risk_view(risks(row(key)), NOW, most=20))
    drawn(predictions_view(predictions((prediction(words=EVIL, subject=Subject(EVIL)),)), NOW))
    drawn(why_not_view([why(replace(RESTART, why=EVIL, saw=EVIL, strategy=EVIL), summary=EVIL)], NOW, everything=True))


def test_every_gate_has_its_words() -> None:
    assert set(GATES) == set(GateName)


def test_explain_shows_what_a_decision_rested_on(story: dict[str, Any]) -> None:
    context = DecisionContext(
        state="web fails", history="4 of 5 healed", health="memory 95 %", resources="1 step", preferences="acts",
        risk="medium", time="a busy hour", success="http passes",
        weighed=tuple(Weighed(strategy=each, rung=0, score=0.9, why="w") for each in ("one", "two")),
    )  # fmt: skip
    assert set(CONTEXT) == set(plain(context)) - {"weighed"}
    shown = {**story, "decision": {**story["decision"], "context": plain(context)}}
    text = drawn(story_view(shown, NOW))
    for part in ("What it rested on", "4 of 5 healed", "a busy hour", "one 0.90, two 0.90"):
        assert part in text
    assert "What it rested on" not in drawn(story_view(story, NOW)), "one of an older daemon has none"


@pytest.mark.parametrize("arguments", [["why-not", "x", "y"], ["why-not", "1", "2", "3"], ["risk", "x"]])
def test_a_wrong_call(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == exits.USAGE
    assert capsys.readouterr().err


@pytest.mark.parametrize("verb", ["risk", "predictions", "why-not"])
def test_help_names_the_exit_codes(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert verb in VERBS
    assert run([verb, "--help"]) == exits.OK
    assert "5   the daemon refused, or does not know the name" in capsys.readouterr().out
