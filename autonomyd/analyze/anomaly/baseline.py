"""What a series usually is: a level and a spread that what is not usual can't move, and that those of late replace once
it has stayed so for long."""

import math

RATE = 0.005
"""Weight of one sample once the series is known well: the level spans some 200 usual samples."""
OF_LATE = 0.05
"""Weight of one sample in the level and spread of late."""
AWAY = 4.0
"""Mean deviations from the level beyond which a value is not usual: 3.2 standard deviations of a normal series."""
LASTS = 360
"""Samples that must be away, each usual one between them taking one back, before what is so of late is usual."""
SURE = 30
"""Samples before a spread can be told."""


class Baseline:
    """`level` and `spread` (mean absolute deviation) of what is usual; `away` counts samples that are not."""

    __slots__ = ("_level", "_seen", "_spread", "away", "level", "spread")

    def __init__(self) -> None:
        self.level = 0.0
        self.spread = 0.0
        self.away = 0
        self._level = 0.0
        self._spread = 0.0
        self._seen = 0

    def observe(self, value: float) -> bool:
        """Whether, with this sample, another level has stayed for LASTS and is the usual one from now on."""
        self._seen = seen = self._seen + 1
        if seen == 1:
            self.level = self._level = value
            return False
        off = value - self._level
        self._level += OF_LATE * off
        self._spread += OF_LATE * (abs(off) - self._spread)
        off = value - self.level
        size = abs(off)
        if seen > SURE:
            if size > AWAY * self.spread:
                self.away += 1
                return self.away >= LASTS and self._move()
            if self.away:
                self.away -= 1
        rate = RATE if RATE * seen > 1.0 else 1.0 / seen
        self.level += rate * off
        self.spread += rate * (size - self.spread)
        return False

    def dump(self) -> list[float]:
        """What `load` takes."""
        return [self.level, self.spread, self.away, self._level, self._spread, self._seen]

    def load(self, state: list[float]) -> None:
        """Raises TypeError or ValueError when `state` is not what `dump` gave."""
        level, spread, away, of_late, spread_of_late, seen = map(float, state)
        if not all(map(math.isfinite, (level, spread, away, of_late, spread_of_late, seen))):
            raise ValueError("a figure that is not finite")
        self.level, self.spread, self.away = level, spread, int(away)
        self._level, self._spread, self._seen = of_late, spread_of_late, int(seen)

    def _move(self) -> bool:
        """What is so of late is usual from now on."""
        self.level, self.spread = self._level, self._spread
        self.away = 0
        return True
