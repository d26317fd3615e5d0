"""The back-test: what each forecast of a series said, and what came of it. It calibrates the next ones.

A case is the dual of a time to a bound: the bound is reached by `at` when the highest value by `at` is there. So each
line is held against the highest value by some shares of its own span. All cases of a series lie in three arrays."""

import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, Final

from autonomyd.analyze.forecast.conformal import interval
from autonomyd.analyze.forecast.ladder import RUNGS, SHAPE
from autonomyd.analyze.forecast.line import Line
from autonomyd.analyze.forecast.season import Season

HORIZONS: Final = (0.125, 0.25, 0.5, 0.75, 1.0)
"""Each line is tested on forecasts over these shares of its own span."""
FEWEST_STEPS: Final = 2
KEPT: Final = 20
SECONDS: Final = 0
"""The rung for what moves fast; its forecasts are over before they could be tested."""
TESTED: Final = RUNGS - SECONDS - 1
RELATED: Final = 3
RELATED_SHARE: Final = 0.5
"""So much does an error of the next finer rung count."""
LATE_SHARE: Final = 0.5
LATE_S: Final = 120.0
"""A case that is looked at later than this (the daemon was away) tells nothing: it is void."""
CLIP: Final = 99.0
MADE_AT, NEXT, SINCE, LEVEL, LEAD, PEAK, RISE, LEVEL_VAR, NOISE, WALK, RISE_VAR, TRIED, COUNT, FIELDS = range(14)
"""Of a rung: when the forecast under way was made (nan: none), which horizon is next, how many errors were kept since;
level, lead and line of it; the highest value since. `TRIED` numbers the span in which one was last looked for, `COUNT`
tells how many errors are kept."""
FRESH: Final = array("d", (math.nan, *(0.0,) * (TRIED - 1), -1.0, 0.0))


class Records:
    """How the forecasts from each resolution have fared: the newest errors in standard deviations, over which share of
    the span, and whether the truth was in the interval."""

    __slots__ = ("_errors", "_marks", "_state")

    def __init__(self) -> None:
        self._errors = array("f", [0.0]) * (KEPT * TESTED)
        self._marks = array("b", [0]) * (KEPT * TESTED)
        self._state = FRESH * TESTED

    def is_due(self, number: int, span: int) -> bool:
        """Whether a forecast may be made from this rung in span number `span`: once, while none is under way."""
        base = _place(number) * FIELDS
        if self._state[base + TRIED] == span or not math.isnan(self._state[base + MADE_AT]):
            return False
        self._state[base + TRIED] = span
        return True

    def open(self, number: int, at: float, line: Line, *, level: float, lead: float) -> None:
        """A forecast is made: it is held against what comes."""
        fields = (at, 0.0, 0.0, level, lead, -math.inf)
        shape = (line.rise, line.level_var, line.noise, line.walk, line.rise_var)
        base = _place(number) * FIELDS
        self._state[base : base + TRIED] = array("d", (*fields, *shape))

    def hear(self, number: int, at: float, peak: float, season: Season) -> None:
        """`peak` is the highest value since the last call; what was said of a time that has come is judged."""
        state, base = self._state, _place(number) * FIELDS
        made_at = state[base + MADE_AT]
        if math.isnan(made_at):
            return
        if peak > state[base + PEAK]:
            state[base + PEAK] = peak
        horizon = int(state[base + NEXT])
        due_s = _due_s(number, horizon)
        if at - made_at < due_s:
            return
        if at - made_at <= due_s + LATE_SHARE * due_s + LATE_S:
            self._judge(number, horizon, at, season)
        state[base + NEXT] = horizon + 1
        if horizon + 1 == len(HORIZONS):
            state[base + MADE_AT] = math.nan

    def interval(self, number: int, ahead: float, *, doubt: float = 1.0, but_newest: int = 0) -> tuple[float, float]:
        """Between how many standard deviations 80 % of the errors over `ahead` spans of the line lie. Those of the next
        finer rungs count too, the less the finer; `doubt`: so much wider is what is believed before any is known."""
        errors: list[float] = []
        over: list[float] = []
        weights: list[float] = []
        for finer in range(number, max(SECONDS, number - RELATED), -1):
            found, marks = self._kept(finer, but_newest if finer == number else 0)
            errors += found
            over += [HORIZONS[mark >> 1] for mark in marks]
            weights += [RELATED_SHARE ** (number - finer)] * len(found)
        return interval(errors, over, weights, ahead, doubt=doubt)

    def score(self, numbers: range) -> tuple[int, int]:
        """(how many forecasts from these rungs were put to the test, how many of them were right)."""
        marks = [mark for number in numbers for mark in self._kept(number)[1]]
        return len(marks), sum(mark & 1 for mark in marks)

    def drop(self) -> None:
        """What is under way will tell nothing: another thing is measured from now on."""
        for number in range(SECONDS + 1, RUNGS):
            self._state[_place(number) * FIELDS + MADE_AT] = math.nan

    def plain(self, number: int) -> Mapping[str, Any]:
        """JSON values; cases under way are not among them."""
        errors, marks = self._kept(number)
        return {"errors": [round(each, 3) for each in errors], "marks": list(marks)}

    def restore(self, number: int, kept: Mapping[str, Any]) -> None:
        """Take `plain` back. Raises KeyError, TypeError or ValueError for what is none."""
        errors, marks = array("f", kept["errors"][-KEPT:]), array("b", kept["marks"][-KEPT:])
        if len(errors) != len(marks) or not all(0 <= mark < 2 * len(HORIZONS) for mark in marks):
            raise ValueError("each error has its mark")
        if not all(map(math.isfinite, errors)):
            raise ValueError("errors are finite")
        begin = _place(number) * KEPT
        self._errors[begin : begin + len(errors)] = errors
        self._marks[begin : begin + len(marks)] = marks
        self._state[_place(number) * FIELDS + COUNT] = len(errors)

    def _kept(self, number: int, but_newest: int = 0) -> tuple[Sequence[float], Sequence[int]]:
        begin = _place(number) * KEPT
        end = begin + max(0, int(self._state[_place(number) * FIELDS + COUNT]) - but_newest)
        return self._errors[begin:end], self._marks[begin:end]

    def _judge(self, number: int, horizon: int, at: float, season: Season) -> None:
        state, base = self._state, _place(number) * FIELDS
        made_at, level, lead, peak = (state[base + field] for field in (MADE_AT, LEVEL, LEAD, PEAK))
        rise, level_var, noise, walk, rise_var = state[base + RISE : base + TRIED]
        line = Line(rise=rise, level=level, level_var=level_var, noise=noise, walk=walk, rise_var=rise_var)
        deviation = math.sqrt(line.variance(at - made_at))
        if deviation <= 0.0 or not math.isfinite(peak):
            return
        error = (peak - level - lead - season.highest(rise, made_at, at)) / deviation
        low, high = self.interval(number, HORIZONS[horizon], but_newest=int(state[base + SINCE]))
        self._keep(number, max(-CLIP, min(CLIP, error)), horizon, right=low <= error <= high)

    def _keep(self, number: int, error: float, horizon: int, *, right: bool) -> None:
        begin, base = _place(number) * KEPT, _place(number) * FIELDS
        count = int(self._state[base + COUNT])
        if count == KEPT:
            self._errors[begin : begin + KEPT - 1] = self._errors[begin + 1 : begin + KEPT]
            self._marks[begin : begin + KEPT - 1] = self._marks[begin + 1 : begin + KEPT]
            count -= 1
        self._errors[begin + count] = error
        self._marks[begin + count] = 2 * horizon + right
        self._state[base + COUNT] = count + 1
        self._state[base + SINCE] += 1.0


def _place(number: int) -> int:
    return number - SECONDS - 1


def _due_s(number: int, horizon: int) -> float:
    step_s, size = SHAPE[number]
    return max(FEWEST_STEPS, round(HORIZONS[horizon] * size)) * step_s
