"""What an hour of the day adds to a series, learned from its own days."""

import math
from array import array
from collections.abc import Mapping
from typing import Any, Final

from autonomyd.analyze.forecast.ladder import DAY_S, HOUR_S, Rung

HOURS: Final = 24
LEARN: Final = 0.25
DAYS: Final = 3
"""Known when each hour was seen on so many days."""
EXPLAINS: Final = 0.5
"""A season counts while it explains at least this share of what the hours do beside the trend."""
REMEMBER: Final = 0.05


class Season:
    """24 offsets, one an hour of the day (UTC). Nothing is taken off before they have proved to be more than chance."""

    __slots__ = ("_all", "_left", "_seen", "hours", "known", "offsets")

    def __init__(self) -> None:
        self.offsets = array("f", [0.0]) * HOURS
        self.hours = 0
        self.known = False
        self._seen: int | None = None
        self._all = 0.0
        self._left = 0.0

    @property
    def settled(self) -> bool:
        """Whether enough days were seen to say what the hours add, be it nothing."""
        return self.hours >= DAYS * HOURS

    @property
    def pace(self) -> float:
        """How far the hours go up and down, a second; 0 until it is known."""
        if not self.known:
            return 0.0
        offsets = self.offsets
        return math.fsum(abs(offsets[hour] - offsets[hour - 1]) for hour in range(HOURS)) / DAY_S

    @property
    def doubt(self) -> float:
        """The variance of what the hours do beside what was learned of them; 0 until it is known."""
        return self._left if self.known else 0.0

    def learn(self, rung: Rung) -> None:
        """Take the newest closed hour in, once. The trend is taken off by the mean of the day around it (the classical
        decomposition by moving averages), so an hour is learned half a day late."""
        if rung.last is None or rung.last == self._seen or len(rung.values) < HOURS:
            return
        self._seen = rung.last
        day = rung.values[-HOURS:]
        half_hour = (day[-1] - day[0]) / (HOURS - 1) / 2.0  # the middle of 24 hours lies between two of them
        beside = day[HOURS // 2] - math.fsum(day) / HOURS - half_hour
        hour = (rung.last - HOURS // 2 + 1) % HOURS
        left = beside - self.offsets[hour]
        if self.hours >= HOURS:
            self._all += REMEMBER * (beside * beside - self._all)
            self._left += REMEMBER * (left * left - self._left)
        self.offsets[hour] += max(LEARN, 1.0 / (1 + self.hours // HOURS)) * left
        self.hours += 1
        self.known = self.settled and self._left < (1.0 - EXPLAINS) * self._all

    def at(self, at: float) -> float:
        """What the moment `at` adds; 0 until it is known."""
        if not self.known:
            return 0.0
        place = at % DAY_S / HOUR_S - 0.5
        before = math.floor(place)
        share = place - before
        return (1.0 - share) * self.offsets[before % HOURS] + share * self.offsets[(before + 1) % HOURS]

    def over(self, at: float, span_s: float) -> float:
        """The mean of what the `span_s` seconds around `at` add."""
        if not self.known or span_s >= DAY_S:
            return 0.0
        parts = max(1, round(span_s / HOUR_S))
        begin = at - span_s / 2.0
        return math.fsum(self.at(begin + span_s * (part + 0.5) / parts) for part in range(parts)) / parts

    def highest(self, rise: float, begin: float, end: float) -> float:
        """How far a line that rises by `rise` a second has got at most, season and all, from `begin` to `end`."""
        found = rise * (end - begin) + self.at(end)
        if self.known:
            for hour in range(1, min(HOURS, int((end - begin) / HOUR_S) + 1)):
                at = end - hour * HOUR_S
                found = max(found, rise * (at - begin) + self.at(at))
        return found

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "offsets": [float(f"{each:.5g}") for each in self.offsets],
            "hours": self.hours,
            "all": self._all,
            "left": self._left,
            "seen": self._seen,
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Raises KeyError, TypeError or ValueError for what is no season."""
        offsets = array("f", kept["offsets"])
        figures = (float(kept["all"]), float(kept["left"]))
        if len(offsets) != HOURS or not all(map(math.isfinite, (*offsets, *figures))):
            raise ValueError("a season has 24 offsets")
        self.offsets = offsets
        self.hours = int(kept["hours"])
        self._seen = None if kept["seen"] is None else int(kept["seen"])
        self._all, self._left = figures
        self.known = self.settled and self._left < (1.0 - EXPLAINS) * self._all
