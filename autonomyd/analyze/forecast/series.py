"""One series and its forecast: sketch, season, a line a resolution, and the back-test of each line on what came."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from autonomyd.analyze.forecast.dash import Dash, Rush
from autonomyd.analyze.forecast.ladder import DAY_S, RUNGS, SHAPE, Ladder
from autonomyd.analyze.forecast.line import FEWEST
from autonomyd.analyze.forecast.record import SECONDS, Records
from autonomyd.analyze.forecast.season import Season
from autonomyd.analyze.forecast.sight import Seen, Sight
from autonomyd.model.forecast import BackTest

REACH: Final = 4.0
"""A line is believed for so many times the span that it was seen for."""
REACH_OF_DAYS: Final = 2.0
"""... but one over a part of a week only for so many ..."""
REACH_OF_HOURS: Final = 1.0
"""... and one over a part of a day only for so many, while nothing is known of what the hours of the day do."""
RISES: Final = 1.0
"""A rise counts from so many standard deviations on; the interval says how sure it is."""
WEEK_S: Final = 7 * DAY_S
OTHERWISE: Final = 3.0
"""A shorter line goes first when the longer one is so many standard deviations from explaining it."""
NORMAL_SPREAD: Final = 2.56
"""The interval of 80 % of normal errors, in standard deviations."""
NEAREST: Final = 0.0625
"""Nothing is tested over less than this share of a line's span: what is nearer is taken to be as far."""
HOURS: Final = 3
KEEPS: Final = (2, 3, 4, 5)
"""The rungs that are worth keeping over a restart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The bound is `left_s` seconds away, with 80 % certainty `soonest_s` to `latest_s` (None: perhaps never), at
    `per_s` a second as the last `span_s` seconds show; `steepness`: in standard deviations of that rise. `fresh`: it
    is higher than it was ever seen before that span. `backtest` counts the forecasts that rested on such lines;
    `rushes`: there was no time for any, it is too steep and too new."""

    left_s: float
    soonest_s: float
    latest_s: float | None
    per_s: float
    span_s: float
    steepness: float
    fresh: bool
    backtest: BackTest
    rushes: bool = False


class SeriesForecast:
    """Feed it with `add`, let it take its turn about once a minute. Constant memory; never raises for any number."""

    __slots__ = ("_peak", "dash", "ladder", "records", "season", "sight")

    def __init__(self) -> None:
        self.dash = Dash()
        self.ladder = Ladder()
        self.season = Season()
        self.records = Records()
        self.sight = Sight(self.ladder, self.season)
        self._peak = -math.inf

    def add(self, at: float, value: float) -> bool:
        """Take a sample in (epoch seconds); False when it is of no use, which is counted in `ladder.skipped`."""
        if not self.ladder.add(at, value):
            return False
        self.dash.add(at, value)
        if value > self._peak:
            self._peak = value
        return True

    def clear(self) -> None:
        """Another thing is measured from now on (a new process). How its forecasts fared stays known."""
        self.dash.clear()
        self.ladder.clear()
        self.season = Season()
        self.sight = Sight(self.ladder, self.season)
        self._peak = -math.inf
        self.records.drop()

    def turn(self) -> None:
        """Judge the forecasts whose time has come, and make new ones."""
        ladder = self.ladder
        peak, self._peak = self._peak, -math.inf
        self.season.learn(ladder.rung(HOURS))
        for number in range(SECONDS + 1, RUNGS):
            self.records.hear(number, ladder.at, peak, self.season)
            size, last = SHAPE[number][1], ladder.last(number)
            # the minutes are many, and soon over: they are put to the test less often
            every = size if number == SECONDS + 1 else size // 8
            if last is not None and ladder.kept(number) >= FEWEST and self.records.is_due(number, last // every):
                self._open(number)

    def hurries(self, bound: float, within_s: float) -> bool:
        """Whether the last two minutes lead to `bound` within `within_s` seconds. Cheap: asked at each sample."""
        values = self.ladder.points(SECONDS)
        if len(values) < FEWEST:
            return False
        rise = values[-1] - values[0]
        span_s = (len(values) - 1) * self.ladder.step_s(SECONDS)
        return rise > 0.0 and (bound - values[-1]) * span_s < rise * within_s

    def outlook(self, bound: float) -> Outlook | None:
        """When `bound` (above) is reached; None while nothing that can be told leads there.

        The longest line that may be believed so far ahead speaks, unless it does not explain a shorter one. A rush onto
        new ground that is sooner there is told before them all."""
        chosen: Seen | None = None
        for number in reversed(range(RUNGS)):
            seen = self.sight.seen(number)
            if seen is not None and self._tells(seen, bound) and (chosen is None or self._differs(chosen, seen)):
                chosen = seen
        found = None if chosen is None else self._outlook(chosen, bound)
        rush = self.dash.rush(bound)
        return found if rush is None or (found is not None and found.left_s <= rush.left_s) else _told_by(rush)

    @property
    def worth_keeping(self) -> bool:
        """Whether it was seen for long enough that a restart would cost something."""
        return self.ladder.kept(KEEPS[0]) > 0

    def plain(self) -> dict[str, Any]:
        """What is worth keeping, as JSON values; about a kilobyte."""
        rungs = [self.ladder.rung(number) for number in KEEPS]
        return {
            "at": self.ladder.at,
            "pace_s": self.ladder.pace_s,
            "rungs": [[rung.last, [float(f"{value:.7g}") for value in rung.values]] for rung in rungs],
            "records": [self.records.plain(number) for number in KEEPS],
            "season": self.season.plain(),
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take `plain` back. Raises KeyError, TypeError or ValueError for what is none."""
        at, pace_s = float(kept["at"]), float(kept["pace_s"])
        rungs = [(last, [float(value) for value in values]) for last, values in kept["rungs"]]
        if len(rungs) != len(KEEPS) or not all(
            map(math.isfinite, (at, pace_s, *(value for _, values in rungs for value in values)))
        ):
            raise ValueError("a sketch has finite values")
        for number, (last, values), record in zip(KEEPS, rungs, kept["records"], strict=True):
            self.records.restore(number, record)
            self.ladder.restore(number, None if last is None else int(last), values)
        self.season.restore(kept["season"])
        self.ladder.at, self.ladder.pace_s = at, pace_s

    def _open(self, number: int) -> None:
        seen = self.sight.seen(number)
        if seen is not None and seen.line.steepness >= RISES:  # what would not be said is not tested either
            self.records.open(number, self.ladder.at, seen.line, level=seen.level, lead=seen.lead)

    def _tells(self, seen: Seen, bound: float) -> bool:
        if seen.line.steepness < RISES:
            return False
        reach = REACH if seen.span_s >= WEEK_S else REACH_OF_DAYS
        if seen.span_s < DAY_S and not self.season.settled:
            reach = REACH_OF_HOURS
        left_s = self.sight.reaches(seen, bound, 0.0)
        return left_s is not None and left_s <= reach * seen.span_s

    def _outlook(self, seen: Seen, bound: float) -> Outlook:
        left_s = self.sight.reaches(seen, bound, 0.0) or 0.0
        low, high = self.records.interval(seen.rung, max(NEAREST, left_s / seen.span_s), doubt=seen.doubt(left_s))
        at = self.ladder.at
        cases, covered = self._backtest(seen.rung)
        return Outlook(
            left_s=left_s,
            soonest_s=self.sight.reaches(seen, bound, high) or 0.0,
            latest_s=self.sight.reaches(seen, bound, low),
            per_s=seen.line.rise,
            span_s=seen.span_s,
            steepness=seen.line.steepness,
            fresh=self.sight.is_fresh(seen) and self.dash.highest_before(at - seen.span_s) < self.ladder.newest()[0],
            backtest=BackTest(cases=cases, covered=covered),
        )

    def _backtest(self, number: int) -> tuple[int, int]:
        """Of this line and the next finer one: a line over days is rarely put to the test."""
        return self.records.score(range(max(SECONDS + 1, number - 1), number + 1))

    def _differs(self, longer: Seen, shorter: Seen) -> bool:
        """Whether what the shorter line rose over its span is beyond what the longer one allows for."""
        span_s = shorter.span_s
        apart = abs(shorter.line.rise - longer.line.rise) * span_s / OTHERWISE
        known, own = math.sqrt(longer.line.variance(span_s)), math.sqrt(shorter.line.rise_var) * span_s
        if apart <= math.hypot(known, own):
            return False
        low, high = self.records.interval(longer.rung, max(NEAREST, span_s / longer.span_s))
        return apart > math.hypot(max(1.0, (high - low) / NORMAL_SPREAD) * known, own)


def _told_by(rush: Rush) -> Outlook:
    return Outlook(
        left_s=rush.left_s,
        soonest_s=rush.soonest_s,
        latest_s=rush.latest_s,
        per_s=rush.per_s,
        span_s=rush.span_s,
        steepness=rush.steepness,
        fresh=True,
        backtest=BackTest(cases=0, covered=0),
        rushes=True,
    )
