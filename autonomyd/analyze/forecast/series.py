"""One series and its forecast: sketch, season, a line a resolution, and the back-test of each line on what came."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from autonomyd.analyze.forecast.ladder import DAY_S, HOUR_S, Ladder, Rung
from autonomyd.analyze.forecast.line import FEWEST, Line, lead, line_through
from autonomyd.analyze.forecast.record import Case, Record
from autonomyd.analyze.forecast.season import Season
from autonomyd.model.forecast import BackTest

REACH: Final = 4.0
"""A line is believed for so many times the span that it was seen for."""
REACH_OF_HOURS: Final = 1.0
"""... but one over a part of a day only for so many, while nothing is known of what the hours of the day do."""
RISES: Final = 1.0
"""A rise counts from so many standard deviations on; the interval says how sure it is."""
OTHERWISE: Final = 3.0
"""A shorter line goes first when the longer one is so many standard deviations from explaining it."""
NORMAL_SPREAD: Final = 2.56
"""The interval of 80 % of normal errors, in standard deviations."""
HORIZONS: Final = (0.125, 0.25, 0.5, 0.75, 1.0)
"""Each line is tested on forecasts over these shares of its own span."""
FEWEST_STEPS: Final = 2
FINEST_S: Final = 10.0
BRIDGED: Final = 0.75
"""A rung whose buckets are shorter than this share of the time between samples shows lines between them, not noise."""
SECONDS: Final = 0
"""The rung for what moves fast; its forecasts are over before they could be tested."""
HOURS: Final = 3
KEEPS: Final = (2, 3, 4, 5)
"""The rungs that are worth keeping over a restart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The bound is `left_s` seconds away, with 80 % certainty `soonest_s` to `latest_s` (None: perhaps never), at
    `per_s` a second as the last `span_s` seconds show; `steepness`: in standard deviations of that rise. `fresh`: it
    is higher than it was ever seen before that span. `backtest` counts the forecasts that rested on such lines."""

    left_s: float
    soonest_s: float
    latest_s: float | None
    per_s: float
    span_s: float
    steepness: float
    fresh: bool
    backtest: BackTest


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What one rung shows: `level` is that of this moment, without season; `lead` what noise is ahead of it."""

    rung: int
    span_s: float
    line: Line
    level: float
    lead: float


class SeriesForecast:
    """Feed it with `add`, let it take its turn about once a minute. Constant memory; never raises for any number."""

    __slots__ = ("_lines", "_peak", "ladder", "records", "season")

    def __init__(self) -> None:
        self.ladder = Ladder()
        self.season = Season()
        self.records = tuple(Record() for _ in self.ladder.rungs)
        self._lines: list[tuple[int | None, Line | None]] = [(None, None)] * len(self.records)
        self._peak = -math.inf

    def add(self, at: float, value: float) -> bool:
        """Take a sample in (epoch seconds); False when it is of no use, which is counted in `ladder.skipped`."""
        if not self.ladder.add(at, value):
            return False
        if value > self._peak:
            self._peak = value
        return True

    def clear(self) -> None:
        """Another thing is measured from now on (a new process). How its forecasts fared stays known."""
        self.ladder.clear()
        self.season = Season()
        self._lines = [(None, None)] * len(self.records)
        self._peak = -math.inf
        for record in self.records:
            record.drop()

    def turn(self) -> None:
        """Judge the forecasts whose time has come, and make new ones."""
        ladder = self.ladder
        peak, self._peak = self._peak, -math.inf
        self.season.learn(ladder.rungs[HOURS])
        for number, record in enumerate(self.records):
            if number == SECONDS:
                continue
            rung = ladder.rungs[number]
            record.hear(ladder.at, peak, self.season)
            # the minutes are many, and soon over: they are put to the test less often
            every = rung.size if number == SECONDS + 1 else rung.size // 8
            if record.pending is not None or rung.last is None or len(rung.values) < FEWEST:
                continue
            if rung.last // every != record.tried:
                record.tried = rung.last // every
                self._open(number, rung, record)

    def hurries(self, bound: float, within_s: float) -> bool:
        """Whether the last two minutes lead to `bound` within `within_s` seconds. Cheap: asked at each sample."""
        values = self.ladder.rungs[SECONDS].values
        if len(values) < FEWEST:
            return False
        rise = values[-1] - values[0]
        return rise > 0.0 and (bound - values[-1]) * (len(values) - 1) * self.ladder.rungs[SECONDS].step_s < (
            rise * within_s
        )

    def outlook(self, bound: float) -> Outlook | None:
        """When `bound` (above) is reached; None while nothing that can be told leads there.

        The longest line that may be believed so far ahead speaks, unless it does not explain a shorter one."""
        chosen: _Seen | None = None
        for number in reversed(range(len(self.records))):
            seen = self._seen(number)
            if seen is not None and self._tells(seen, bound) and (chosen is None or self._differs(chosen, seen)):
                chosen = seen
        if chosen is None:
            return None
        low, high = self.records[chosen.rung].interval()
        distance = self._distance(chosen, bound)
        if distance <= 0.0:
            left_s = soonest_s = 0.0
            latest_s = chosen.line.reaches(1e-9 * abs(bound), low)
        else:
            left_s = distance / chosen.line.rise
            soonest_s = chosen.line.reaches(distance, high) or 0.0
            latest_s = chosen.line.reaches(distance, low)
        return Outlook(
            left_s=left_s,
            soonest_s=soonest_s,
            latest_s=latest_s,
            per_s=chosen.line.rise,
            span_s=chosen.span_s,
            steepness=chosen.line.steepness,
            fresh=self._is_fresh(chosen),
            backtest=self._backtest(chosen.rung),
        )

    @property
    def worth_keeping(self) -> bool:
        """Whether it was seen for long enough that a restart would cost something."""
        return bool(self.ladder.rungs[KEEPS[0]].values)

    def plain(self) -> dict[str, Any]:
        """What is worth keeping, as JSON values; about a kilobyte."""
        rungs = [self.ladder.rungs[number] for number in KEEPS]
        return {
            "at": self.ladder.at,
            "pace_s": self.ladder.pace_s,
            "rungs": [[rung.last, [float(f"{value:.7g}") for value in rung.values]] for rung in rungs],
            "records": [self.records[number].plain() for number in KEEPS],
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
            self.records[number].restore(record["errors"], record["right"])
            self.ladder.rungs[number].restore(None if last is None else int(last), values)
        self.season.restore(kept["season"])
        self.ladder.at, self.ladder.pace_s = at, pace_s

    def _open(self, number: int, rung: Rung, record: Record) -> None:
        seen = self._seen(number)
        if seen is None or seen.line.steepness < RISES:
            return  # what would not be said is not tested either
        at = self.ladder.at
        due_at = tuple(at + max(FEWEST_STEPS, round(share * rung.size)) * rung.step_s for share in HORIZONS)
        record.pending = Case(at, due_at, level=seen.level, line=seen.line, lead=seen.lead, interval=record.interval())

    def _seen(self, number: int) -> _Seen | None:
        line = self._line(number)
        if line is None:
            return None
        rung = self.ladder.rungs[number]
        noise = self._sample_noise(number, line)
        return _Seen(
            rung=number,
            span_s=rung.span_s,
            line=replace(line, noise=noise),
            level=self._level_now(rung, line),
            lead=lead(math.sqrt(noise), line.rise * max(self.ladder.pace_s, FINEST_S)),
        )

    def _line(self, number: int) -> Line | None:
        """Anew for each bucket that has closed."""
        rung = self.ladder.rungs[number]
        last, line = self._lines[number]
        if last != rung.last:
            line = line_through(self._without_season(rung), rung.step_s)
            self._lines[number] = (rung.last, line)
        return line

    def _without_season(self, rung: Rung) -> list[float]:
        values = list(rung.values)
        if not self.season.known or rung.step_s >= DAY_S:
            return values
        middle = rung.ends_at - (len(values) - 0.5) * rung.step_s
        step_s = rung.step_s
        return [value - self.season.over(middle + index * step_s, step_s) for index, value in enumerate(values)]

    def _level_now(self, rung: Rung, line: Line) -> float:
        """The line's end carried on to this moment, corrected by the newest minute as far as that tells more."""
        ladder = self.ladder
        since_s = ladder.at - rung.ends_at + rung.step_s / 2.0
        expected = line.level + line.rise * since_s
        before = line.level_var + line.walk * since_s
        if before <= 0.0:
            return expected
        gain = before / (before + line.noise)
        return expected + gain * (ladder.newest() - self.season.at(ladder.at) - expected)

    def _sample_noise(self, number: int, line: Line) -> float:
        """The variance of one sample, by the finest rung that has a line and a sample a bucket or more."""
        pace_s = max(self.ladder.pace_s, FINEST_S)
        for finer in range(number):
            step_s = self.ladder.rungs[finer].step_s
            found = self._line(finer) if step_s >= BRIDGED * pace_s else None
            if found is not None:
                return found.noise * max(1.0, step_s / pace_s) + line.noise
        return line.noise

    def _tells(self, seen: _Seen, bound: float) -> bool:
        if seen.line.steepness < RISES:
            return False
        reach = REACH if seen.span_s >= DAY_S or self.season.settled else REACH_OF_HOURS
        return self._distance(seen, bound) <= reach * seen.span_s * seen.line.rise

    def _distance(self, seen: _Seen, bound: float) -> float:
        """How far the line itself has to go: less what noise is ahead, and what the season adds at the arrival."""
        bound -= seen.lead
        season = self.season
        if not season.known:
            return bound - seen.level
        at, rise = self.ladder.at, seen.line.rise
        begin = max(0.0, (bound - max(season.offsets) - seen.level) / rise)
        for hour in range(25):
            when = begin + hour * HOUR_S
            if seen.level + rise * when + season.at(at + when) >= bound:
                return rise * when
        return bound - seen.level

    def _backtest(self, number: int) -> BackTest:
        """Of this line and the next finer one: a line over days is rarely put to the test."""
        tested = self.records[max(SECONDS + 1, number - 1) : number + 1]
        return BackTest(
            cases=sum(len(record.right) for record in tested), covered=sum(sum(record.right) for record in tested)
        )

    def _differs(self, longer: _Seen, shorter: _Seen) -> bool:
        """Whether what the shorter line rose over its span is beyond what the longer one allows for."""
        span_s = shorter.span_s
        low, high = self.records[longer.rung].interval()
        spread = max(1.0, (high - low) / NORMAL_SPREAD)
        allowed = math.hypot(
            spread * math.sqrt(longer.line.variance(span_s)), math.sqrt(shorter.line.rise_var) * span_s
        )
        return abs(shorter.line.rise - longer.line.rise) * span_s > OTHERWISE * allowed

    def _is_fresh(self, seen: _Seen) -> bool:
        """Whether the level now is above all that the coarser rungs remember of before this line began."""
        ladder = self.ladder
        newest = ladder.newest()
        begin = ladder.at - seen.span_s
        for rung in ladder.rungs[seen.rung :]:
            if not rung.values:
                break
            before = len(rung.values) - max(0, math.ceil((rung.ends_at - begin) / rung.step_s))
            if before > 0 and max(rung.values[:before]) >= newest:
                return False
        return True
