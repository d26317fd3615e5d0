"""What became of a rule that was tried on recorded history."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """The rule would have been raised from `raised_at` to `cleared_at` (epoch seconds; None: to the end of what is
    recorded). `lowest` and `highest` are of the points within. `issue` is the recorded problem that it belongs to,
    and `lead_s` how much earlier it came than that was opened (negative: later); without one it is a false alarm."""

    raised_at: float
    cleared_at: float | None
    lowest: float
    highest: float
    issue: int | None = None
    lead_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """`hits` of the recorded problems had an alarm, `missed` had none; `false_alarms` belong to no problem. `lead_s`
    is the median of the hits; `fixed` counts the hits that took a fix."""

    alarms: int
    hits: int
    missed: int
    false_alarms: int
    fixed: int
    raised_s: float
    longest_s: float
    covered_s: float
    lead_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One rule on one series: points from `since` to `until` (epoch seconds), the newest alarms, and what came of it
    all. `missed` names the recorded problems without an alarm."""

    name: str
    unit: str
    since: float
    until: float
    score: Score
    alarms: tuple[Alarm, ...]
    missed: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackTestReport:
    """`rule` with its `words`, tried on the points of `step_s` seconds since `since` (epoch seconds), a trial a series
    that has any. `unreached` series were left out because it took too long."""

    rule: str
    words: str
    at: float
    since: float
    step_s: float
    trials: tuple[Trial, ...]
    unreached: int = 0
