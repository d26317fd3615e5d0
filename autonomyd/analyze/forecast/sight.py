"""What each resolution of a series shows: its line, the level of this moment without season, and the noise ahead."""

import math
from array import array
from dataclasses import dataclass, replace
from typing import Final

from autonomyd.analyze.forecast.ladder import DAY_S, FINEST_S, HOUR_S, RUNGS, Ladder, Rung
from autonomyd.analyze.forecast.line import Line, lead, line_through
from autonomyd.analyze.forecast.season import HOURS, Season

BRIDGED: Final = 0.75
"""A rung whose buckets are shorter than this share of the time between samples shows lines between them, not noise."""
FLANK_S: Final = 6 * HOUR_S
"""While the hours of the day are not known, what rises for less than this may be the flank of a day's swing ..."""
TURNS: Final = 0.25
"""... and is steeper or flatter by so much of itself, or less as it is shorter."""
FIELDS: Final = 7
"""Of a line that is kept: the bucket that it ends with (nan: none yet), then what `Line` has."""
NONE: Final = array("d", [math.nan]) * FIELDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one rung shows: `level` is that of this moment, without season; `lead` how far the highest sample is ahead
    of the line. `turns`: by so much the rise may change, for all that is known before its forecasts were tested."""

    rung: int
    span_s: float
    line: Line
    level: float
    lead: float
    turns: float

    def doubt(self, after_s: float) -> float:
        """How much wider errors are before any is known, `after_s` seconds ahead."""
        known = self.line.variance(after_s)
        return math.hypot(1.0, self.turns * after_s / math.sqrt(known)) if known > 0.0 else 1.0


class Sight:
    """The lines through a ladder, each made anew when a bucket has closed."""

    __slots__ = ("_ladder", "_lines", "_season")

    def __init__(self, ladder: Ladder, season: Season) -> None:
        self._ladder = ladder
        self._season = season
        self._lines = NONE * RUNGS

    def seen(self, number: int) -> Seen | None:
        """What this rung shows; None while it has no line."""
        line = self._line(number)
        if line is None:
            return None
        rung = self._ladder.rung(number)
        noise = self._sample_noise(number, line)
        pace_s = max(self._ladder.pace_s, FINEST_S)
        a_sample = line.rise * pace_s
        # it is seen to be there with the next sample, half the time between two of them later
        line = replace(
            line,
            noise=noise,
            level_var=line.level_var + a_sample * a_sample / 12.0 + self._season.doubt,
        )
        ahead = lead(math.sqrt(noise), a_sample + self._season.pace * pace_s) - max(0.0, a_sample) / 2.0
        return Seen(
            rung=number,
            span_s=rung.span_s,
            line=line,
            level=self._level_now(rung, line),
            lead=ahead,
            turns=line.rise * self._may_turn(rung.span_s),
        )

    def reaches(self, seen: Seen, bound: float, q: float) -> float | None:
        """In how many seconds `bound` is reached, season and all, were the series `q` standard deviations above what is
        expected (below, when negative); None where it may never be."""
        line, season = seen.line, self._season
        distance = bound - seen.lead - seen.level
        if not season.known:
            return _over(line, distance, q, bound)
        begin = _over(line, distance - max(season.offsets), q, bound)
        if begin is None:
            return None
        at, before = self._ladder.at, 0.0
        for hour in range(HOURS + 2):
            when = begin + hour * HOUR_S
            above = line.rise * when + q * math.sqrt(line.variance(when)) + season.at(at + when) - distance
            if above >= 0.0:
                return when if hour == 0 else when - HOUR_S * above / (above - before)
            before = above
        return when

    def is_fresh(self, seen: Seen) -> bool:
        """Whether the level now is above all that the coarser rungs remember of before this line began."""
        ladder = self._ladder
        newest, _ = ladder.newest()
        begin = ladder.at - seen.span_s
        for rung in ladder.rungs[seen.rung :]:
            if not rung.values:
                break
            before = len(rung.values) - max(0, math.ceil((rung.ends_at - begin) / rung.step_s))
            if before > 0 and max(rung.values[:before]) >= newest:
                return False
        return True

    def _may_turn(self, span_s: float) -> float:
        """By which share of itself a rise may turn that can be the flank of a day's swing."""
        return 0.0 if self._season.settled or span_s > FLANK_S else TURNS * span_s / FLANK_S

    def _line(self, number: int) -> Line | None:
        """Anew for each bucket that has closed."""
        last = self._ladder.last(number)
        if last is None:
            return None
        base = number * FIELDS
        if self._lines[base] == last:
            return _unpacked(self._lines[base + 1 : base + FIELDS])
        rung = self._ladder.rung(number)
        line = line_through(self._without_season(rung), rung.step_s)
        self._lines[base : base + FIELDS] = _packed(last, line)
        return line

    def _without_season(self, rung: Rung) -> list[float]:
        values = list(rung.values)
        if not self._season.known or rung.step_s >= DAY_S:
            return values
        middle = rung.ends_at - (len(values) - 0.5) * rung.step_s
        step_s, season = rung.step_s, self._season
        return [value - season.over(middle + index * step_s, step_s) for index, value in enumerate(values)]

    def _level_now(self, rung: Rung, line: Line) -> float:
        """The line's end carried on to this moment, corrected by the newest minute as far as that tells more."""
        ladder = self._ladder
        since_s = ladder.at - ladder.phase_s - rung.ends_at + rung.step_s / 2.0
        expected = line.level + line.rise * since_s
        before = line.level_var + line.walk * since_s
        if before <= 0.0:
            return expected
        gain = before / (before + line.noise)
        newest, age_s = ladder.newest()
        return expected + gain * (newest + line.rise * age_s - self._season.at(ladder.at) - expected)

    def _sample_noise(self, number: int, line: Line) -> float:
        """The variance of one sample around this line: what each finer rung sees beside the mean of the next one, from
        the first that has a sample a bucket. A walk over a bucket varies by a sixth of its way around its mean."""
        ladder = self._ladder
        pace_s = max(ladder.pace_s, FINEST_S)
        total = 0.0
        for finer in range(number):
            step_s = ladder.step_s(finer)
            found = self._line(finer) if step_s >= BRIDGED * pace_s else None
            if found is not None:
                share = max(1.0, step_s / pace_s) if total == 0.0 else 1.0 - step_s / ladder.step_s(finer + 1)
                total += share * found.noise + found.walk * ladder.step_s(finer + 1) / 6.0
        return total + line.noise


def _over(line: Line, distance: float, q: float, bound: float) -> float | None:
    if distance <= 0.0 <= q:
        return 0.0
    return line.reaches(max(distance, 1e-9 * abs(bound)), q)


def _packed(last: int, line: Line | None) -> "array[float]":
    if line is None:
        return array("d", (last, *(math.nan,) * (FIELDS - 1)))
    return array("d", (last, line.rise, line.level, line.level_var, line.noise, line.walk, line.rise_var))


def _unpacked(fields: "array[float]") -> Line | None:
    rise, level, level_var, noise, walk, rise_var = fields
    if math.isnan(rise):
        return None
    return Line(rise=rise, level=level, level_var=level_var, noise=noise, walk=walk, rise_var=rise_var)
