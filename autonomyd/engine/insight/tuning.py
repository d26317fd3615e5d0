"""Asks recorded history about the thresholds in force, and shows the answer as a change of the configuration file.
Writes nothing: a person decides."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from autonomyd.aio.offload import in_thread
from autonomyd.analyze.backtest import Rule, replayed
from autonomyd.analyze.detectors.threshold import ThresholdRule
from autonomyd.analyze.rules import HOST_RULES
from autonomyd.analyze.trials import threshold_judge
from autonomyd.engine.insight.workbench import Known, Workbench, concerns
from autonomyd.learn.thresholds import MONTH_S, Level, Ordinary, advised, ladder, moved_clear, ordinary, ordinary_points
from autonomyd.model.issue import Issue
from autonomyd.model.rollup import HOUR_S, Point, coverage_s
from autonomyd.model.tuning import Advice, AdviceState, TuningReport
from autonomyd.settings.document import read_document
from autonomyd.settings.load import SYSTEM_CONFIG
from autonomyd.settings.problem import ConfigError
from autonomyd.settings.rewrite import Levels, NotRewritten, with_levels

MOST_SERIES = 400
OWN_LEVELS = "folder:"
"""Folders with a quota are judged by the levels of their own clean-up."""


async def tune(
    bench: Workbench, rules: Mapping[str, ThresholdRule], *, config_file: str | None, since_s: float
) -> TuningReport:
    """Advice on every threshold of `rules` (by name) that judges a recorded series, from the last `since_s` seconds.
    Raises Busy."""
    at = bench.clock.wall()
    problems = await bench.problems(since=at - since_s)
    judged = _judged(await bench.known(), rules)
    flat = [each for series in judged.values() for each in series][:MOST_SERIES]

    def ordinary_of(known: Known, points: list[Point]) -> tuple[str, Ordinary]:
        name = _name_of(known)
        kept = ordinary_points(points, _spans(problems, known, at))
        if kept:
            return name, ordinary(kept, _level(name, rules[name]), name=known.name, unit=known.unit)
        span_s = points[-1].until - points[0].at
        none = Ordinary(name=known.name, unit=known.unit, usual=0.0, rare=0.0, ordinary_s=0.0, span_s=span_s)
        return name, none

    found, unreached = await bench.each("learning of levels", flat, ordinary_of, since=at - since_s)
    by_name: dict[str, list[Ordinary]] = {name: [] for name in judged}
    for name, each in found:
        by_name[name].append(each)
    levels = {name: _level(name, rules[name]) for name in judged}
    rungs = {name: ladder(levels[name], series) for name, series in by_name.items()}

    def alarms_of(known: Known, points: list[Point]) -> tuple[str, dict[float, float]]:
        name = _name_of(known)
        kept = ordinary_points(points, _spans(problems, known, at))
        return name, {rung: _monthly(rules[name], levels[name], rung, kept) for rung in rungs[name]}

    again = [each for each in flat if rungs[_name_of(each)]]
    counted, left = await bench.each("counting of alarms", again, alarms_of, since=at - since_s)
    alarms: dict[str, dict[float, float]] = {name: dict.fromkeys(steps, 0.0) for name, steps in rungs.items()}
    for name, counts in counted:
        for rung, count in counts.items():
            alarms[name][rung] += count
    advice = tuple(advised(levels[name], by_name[name], alarms[name]) for name in judged)
    return await in_thread(
        lambda: _with_diff(TuningReport(at=at, file=config_file or "", advice=advice, unreached=unreached + left))
    )


def _judged(known: Sequence[Known], rules: Mapping[str, ThresholdRule]) -> dict[str, list[Known]]:
    """The recorded series of each threshold, in the order of the thresholds."""
    found: dict[str, list[Known]] = {}
    for name in rules:
        series = [each for each in known if _name_of(each) == name and not each.subject.startswith(OWN_LEVELS)]
        if series:
            found[name] = series
    return found


def _name_of(known: Known) -> str:
    return HOST_RULES.get(known.metric, known.metric)


def _level(name: str, rule: ThresholdRule) -> Level:
    percent = name.endswith("_percent")
    return Level(name=name, enter=rule.enter, clear=rule.clear, percent=percent, for_s=rule.for_s)


def _spans(problems: Sequence[tuple[Issue, int]], known: Known, now: float) -> list[tuple[float, float]]:
    """When the subject was not well: any problem of it, and for the host's series any problem of the host."""
    return [
        (issue.opened_at, issue.resolved_at or now)
        for issue, _ in problems
        if concerns(issue, known) or issue.subject == known.subject
    ]


def _monthly(rule: ThresholdRule, level: Level, enter: float, points: Sequence[Point]) -> float:
    """How often the rule with another entering level would have been raised in a month like these points.

    Only hours in which a value is not back at the clear level are replayed: the others leave nothing raised and no
    streak, so that the count is the same."""
    covered_s = coverage_s(points)
    if not covered_s:
        return 0.0
    moved = replace(rule, enter=enter, clear=moved_clear(level, enter))
    hours = {int(each.at // HOUR_S) for each in points if not moved.back(each.high if moved.above else each.low)}
    some = [each for each in points if int(each.at // HOUR_S) in hours]
    trial = Rule(name=level.name, words="", begin=lambda: threshold_judge(moved))
    return len(replayed(trial, some)) * MONTH_S / covered_s


def _with_diff(report: TuningReport) -> TuningReport:
    """The report with what a person would change in the file. Reads the file."""
    changes = {each.name: Levels(*new) for each in report.advice if (new := _new_levels(each)) is not None}
    if not changes:
        return report
    path = Path(report.file) if report.file else SYSTEM_CONFIG
    try:
        text = read_document(path).text if report.file else ""
        changed = with_levels(text, changes)
    except (ConfigError, NotRewritten) as error:
        return replace(report, file=str(path), problem=str(error))
    was = str(path) if report.file else "/dev/null"
    lines = difflib.unified_diff(text.splitlines(), changed.splitlines(), was, str(path), lineterm="")
    return replace(report, file=str(path), diff="\n".join(lines) + "\n")


def _new_levels(advice: Advice) -> tuple[float, float] | None:
    if advice.state is not AdviceState.CHANGE or advice.new_enter is None or advice.new_clear is None:
        return None
    return advice.new_enter, advice.new_clear
