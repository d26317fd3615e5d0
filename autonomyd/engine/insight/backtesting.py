"""Tries a rule on recorded history: fetches the series and the recorded problems, and lets analyze/backtest judge."""

from collections.abc import Callable, Iterable

from autonomyd.analyze.backtest import Rule, Trouble, tried
from autonomyd.analyze.detectors.threshold import ThresholdRule
from autonomyd.analyze.rules import HOST_RULES
from autonomyd.analyze.trials import DETECTORS, BadRule, Wish, detector_rule, threshold_rule, wish_of
from autonomyd.engine.insight.workbench import Known, Workbench, concerns
from autonomyd.model.issue import Issue
from autonomyd.model.rollup import MINUTE_S, Point
from autonomyd.model.trial import BackTestReport, Trial

MOST_SERIES = 200


async def backtest(
    bench: Workbench, words: str, *, rule_of: Callable[[str], ThresholdRule | None], since_s: float
) -> BackTestReport:
    """Try the rule that `words` name over the last `since_s` seconds; `rule_of` gives the thresholds in force by name.
    Raises BadRule for words that name none, and Busy."""
    wish = wish_of(words)
    at = bench.clock.wall()
    known = await bench.known()
    chosen, rule = _chosen(wish, known, rule_of)
    problems = await bench.problems(since=at - since_s)

    def look(series: Known, points: list[Point]) -> Trial:
        return tried(rule, points, _troubles(problems, series), name=series.name, unit=series.unit)

    trials, unreached = await bench.each(f"back-test of {wish.name}", chosen[:MOST_SERIES], look, since=at - since_s)
    return BackTestReport(
        rule=words,
        words=rule.words,
        at=at,
        since=at - since_s,
        step_s=MINUTE_S,
        trials=tuple(trials),
        unreached=unreached + max(0, len(chosen) - MOST_SERIES),
    )


def _chosen(
    wish: Wish, known: tuple[Known, ...], rule_of: Callable[[str], ThresholdRule | None]
) -> tuple[list[Known], Rule]:
    """The series that the rule is for, and the rule. Raises BadRule."""
    if wish.name in DETECTORS:
        rule = detector_rule(wish)
        chosen = [each for each in known if wish.series in ("", each.name, each.metric, each.subject)]
    else:
        chosen = [each for each in known if wish.name in (each.name, each.metric, _threshold_of(each))]
        name = _threshold_of(chosen[0]) if chosen else wish.name
        rule = threshold_rule(wish, rule_of(name))
        chosen = [each for each in chosen if wish.series in ("", each.name, each.metric, each.subject)]
    if not chosen:
        what = wish.series or wish.name
        raise BadRule(
            f"nothing is recorded of {what}; `autonomyctl metrics` lists the series, and how far back they go"
        )
    return chosen, rule


def _threshold_of(series: Known) -> str:
    return HOST_RULES.get(series.metric, series.metric)


def _troubles(problems: Iterable[tuple[Issue, int]], series: Known) -> list[Trouble]:
    return [
        Trouble(issue=issue.id, began=issue.opened_at, ended=issue.resolved_at, summary=issue.summary, fixes=fixes)
        for issue, fixes in problems
        if concerns(issue, series)
    ]
