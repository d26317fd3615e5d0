"""Which hours of the day are busy: the use of the machine by hour, learned from what it was in the last weeks. Pure.

48 running means: one for each hour of a working day, and of a day of the weekend. An hour's mean over one day enters as
one value, and counts half after ten such days: an exponentially weighted mean, so that a habit that changes is followed
within weeks and one odd day moves little."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

HOUR_S = 3600.0
KEPT = 0.5**0.1
"""What is left of an hour's mean when its next day comes in."""
ENOUGH_DAYS = 3
BUSY_RATIO = 1.5
BUSY_POINTS = 5.0
"""Busy is an hour in which the use is half as much again as in the median hour, and by that many points more."""
LOOK_AHEAD_H = 48
WEEKEND = 5


class Hours:
    """Feed `observe`; percentages of the whole machine. Times are epoch seconds, hours those of `zone` (None: the
    machine's own). An hour that the clock repeats or skips counts as the one that the clock shows."""

    def __init__(self, zone: tzinfo | None = None) -> None:
        self._zone = zone
        self._means: dict[int, tuple[int, float]] = {}
        self._slot: tuple[int, int] | None = None
        self._sum = 0.0
        self._count = 0

    def observe(self, at: float, percent: float) -> None:
        """The use of the machine at `at`; nan and what is no percentage is passed over."""
        if not 0.0 <= percent <= 100.0:
            return
        slot = (int(at // HOUR_S), self._of(at))
        if slot != self._slot:
            self._end_hour()
            self._slot = slot
        self._sum += percent
        self._count += 1

    def busy(self, at: float) -> bool | None:
        """Whether the hour of `at` is a busy one; None while it is not known well enough."""
        mean, usual = self.mean(at), self.usual()
        if mean is None or usual is None:
            return None
        return mean >= usual * BUSY_RATIO and mean >= usual + BUSY_POINTS

    def mean(self, at: float) -> float | None:
        """The use in such an hour; None before three days of it."""
        days, mean = self._means.get(self._of(at), (0, 0.0))
        return mean if days >= ENOUGH_DAYS else None

    def usual(self) -> float | None:
        """The median over the hours that are known; None before half of the hours of a day are."""
        known = sorted(mean for days, mean in self._means.values() if days >= ENOUGH_DAYS)
        return known[len(known) // 2] if len(known) >= 12 else None

    def quiet_at(self, at: float) -> float | None:
        """When the next hour begins that is known not to be busy; None without one in the next two days."""
        begin = (at // HOUR_S + 1) * HOUR_S
        ahead = (begin + hour * HOUR_S for hour in range(LOOK_AHEAD_H))
        return next((each for each in ahead if self.busy(each) is False), None)

    def dump(self) -> Mapping[str, Any]:
        """What was learned, as JSON values (about 1 KB)."""
        return {str(slot): [days, round(mean, 3)] for slot, (days, mean) in self._means.items()}

    def load(self, kept: object) -> None:
        """Take back what `dump` gave; what is none of it is left out."""
        for slot, pair in kept.items() if isinstance(kept, Mapping) else ():
            if not str(slot).isdigit() or not isinstance(pair, Sequence) or len(pair) != 2:
                continue
            days, mean = pair
            if int(slot) < 48 and isinstance(days, int) and isinstance(mean, int | float) and 0.0 <= mean <= 100.0:
                self._means[int(slot)] = (max(0, days), float(mean))

    def _of(self, at: float) -> int:
        local = (datetime.fromtimestamp(0, UTC) + timedelta(seconds=at)).astimezone(self._zone)
        return local.hour + (24 if local.weekday() >= WEEKEND else 0)

    def _end_hour(self) -> None:
        if self._slot is not None and self._count:
            _, slot = self._slot
            days, mean = self._means.get(slot, (0, 0.0))
            of_day = self._sum / self._count
            self._means[slot] = (days + 1, of_day if not days else KEPT * mean + (1.0 - KEPT) * of_day)
        self._sum, self._count = 0.0, 0
