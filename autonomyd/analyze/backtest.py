"""What a rule would have done over recorded history: when it would have raised and cleared, and how that compares with
the problems that were recorded. Pure; one pass over the points of each series."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from autonomyd.model.rollup import Point, coverage_s, expanded
from autonomyd.model.trial import Alarm, Score, Trial

GAP_S = 300.0
"""After a longer hole in the points the rule begins anew, as it does when the daemon starts."""
LEAD_S = 3600.0
"""An alarm this long before a problem still counts as its warning; earlier ones were about something else."""
MOST_SHOWN = 100
"""Alarms of a series that are listed; all are counted."""

Judge = Callable[[float, float], bool | None]
"""Takes (at, value) in order of time and says whether the rule is raised now; None when it can't tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule that can be tried. `words` for people; `begin` makes a judge that has seen nothing. `whole`: it is
    given samples that the points may have been made of, else one value a point, their mean."""

    name: str
    words: str
    begin: Callable[[], Judge]
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A recorded problem, from `began` to `ended` (epoch seconds; None: it lasts), and how many fixes it took."""

    issue: int
    began: float
    ended: float | None
    summary: str = ""
    fixes: int = 0


def tried(rule: Rule, points: Sequence[Point], troubles: Iterable[Trouble], *, name: str, unit: str) -> Trial:
    """Run `rule` over `points` (in order of time, at least one) of the series `name`. Problems outside of the time
    that the points cover are passed over."""
    since, until = points[0].at, points[-1].until
    within = [each for each in troubles if (each.ended is None or each.ended >= since) and each.began <= until]
    alarms = [_matched(alarm, within) for alarm in replayed(rule, points)]
    found = {alarm.issue for alarm in alarms}
    missed = tuple(each.issue for each in within if each.issue not in found)
    score = _score(alarms, within, covered_s=coverage_s(points), until=until)
    return Trial(
        name=name,
        unit=unit,
        since=since,
        until=until,
        score=score,
        alarms=tuple(alarms[-MOST_SHOWN:]),
        missed=missed,
    )


def replayed(rule: Rule, points: Iterable[Point]) -> list[Alarm]:
    """When `rule` would have been raised, oldest first. What was raised at the begin of a hole ends there."""
    alarms: list[Alarm] = []
    judge = rule.begin()
    raised_at: float | None = None
    low = high = until = 0.0
    for point in points:
        if until and point.at - until > GAP_S:
            if raised_at is not None:
                alarms.append(Alarm(raised_at=raised_at, cleared_at=until, lowest=low, highest=high))
            raised_at, judge = None, rule.begin()
        until = point.until
        for at, value in expanded(point) if rule.whole else ((until, point.mean),):
            raised = judge(at, value)
            if raised and raised_at is None:
                raised_at, low, high = at, point.low, point.high
            elif raised is False and raised_at is not None:
                alarms.append(Alarm(raised_at=raised_at, cleared_at=at, lowest=low, highest=high))
                raised_at = None
        low, high = min(low, point.low), max(high, point.high)
    if raised_at is not None:
        alarms.append(Alarm(raised_at=raised_at, cleared_at=None, lowest=low, highest=high))
    return alarms


def _matched(alarm: Alarm, troubles: Sequence[Trouble]) -> Alarm:
    """The alarm with the first problem that it overlaps, or warns of."""
    for each in sorted(troubles, key=lambda trouble: trouble.began):
        begins_in_time = each.ended is None or alarm.raised_at <= each.ended
        lasts_until = alarm.cleared_at is None or alarm.cleared_at >= each.began - LEAD_S
        if begins_in_time and lasts_until:
            return replace(alarm, issue=each.issue, lead_s=each.began - alarm.raised_at)
    return alarm


def _score(alarms: Sequence[Alarm], troubles: Sequence[Trouble], *, covered_s: float, until: float) -> Score:
    lengths = [(alarm.cleared_at or until) - alarm.raised_at for alarm in alarms]
    first: dict[int, float] = {}
    for alarm in alarms:
        if alarm.issue is not None and alarm.lead_s is not None:
            first[alarm.issue] = max(first.get(alarm.issue, alarm.lead_s), alarm.lead_s)
    return Score(
        alarms=len(alarms),
        hits=len(first),
        missed=len(troubles) - len(first),
        false_alarms=sum(alarm.issue is None for alarm in alarms),
        fixed=sum(each.issue in first and each.fixes > 0 for each in troubles),
        raised_s=sum(lengths),
        longest_s=max(lengths, default=0.0),
        covered_s=covered_s,
        lead_s=median(first.values()) if first else None,
    )
