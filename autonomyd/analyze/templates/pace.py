"""How often one template comes: what is usual for it, and whether now is not. Numbers only; times are the watch's own
clock in seconds. A window is five minutes."""

import math
from dataclasses import dataclass

WINDOW_S = 300.0
REMEMBERED_WINDOWS = 288
"""The mean is over about a day."""
PEAK_HALF_LIFE_S = 7 * 86_400.0
KNOWN_WINDOWS = 12
"""Before these nothing surges."""
STEADY = 0.95
STEADY_WINDOWS = 24
"""What comes in nearly every window can vanish after so many; anything else only after a day (`REMEMBERED_WINDOWS`)."""
BEYOND_PEAK = 3.0
LEAST = 20
LEAST_TROUBLE = 5
"""Lines in a window that can be a surge."""
LOG_CHANCE = math.log(1e7)
"""A surge is less likely than one in ten million windows, were the lines independent."""
ADOPTED_S = 3_600.0
"""What surges for longer is how it is from now on."""
RECURS = 0.25
"""The part of a surge of trouble that counts as usual afterwards, so that the next one is told again."""
GONE_EXPECTED = 20.0
"""Windows in the silence that should have had lines: by chance none has once in 500 million times. Windows, because
lines come in clumps."""
GONE_S = 86_400.0
"""What is away for longer is forgotten."""


@dataclass(slots=True, kw_only=True)
class Pace:
    """`count` lines in the present window, `level` the busier of it and the one before; `mean` and `peak` are of whole
    windows, `busy` is the part of the windows that had lines; `gap` is the longest silence. `seen` is the group's count
    at the last look, `lines` the log's when the group was last seen. `new_at`, `surged_at` and `gone_at` are None when
    it is not so."""

    first: float
    last: float
    seen: int = 0
    lines: int = 0
    count: int = 0
    level: float = 0.0
    mean: float = 0.0
    peak: float = 0.0
    busy: float = 0.0
    windows: float = 0.0
    gap: float = 0.0
    new_at: float | None = None
    surged_at: float | None = None
    gone_at: float | None = None

    @property
    def per_h(self) -> float:
        """Lines an hour by the past."""
        return self.mean * 3_600.0 / WINDOW_S

    def come(self, count: int, at: float, lines: int) -> None:
        """`count` more lines, the last of them at `at`, when the log had `lines`."""
        self.gap = max(self.gap, at - self.last)
        self.last = at
        self.lines = lines
        self.count += count
        self.level = max(self.level, float(self.count))
        self.gone_at = None

    def judge(self, at: float, *, trouble: bool) -> None:
        """Whether it surges since now; it ends in `close`."""
        if self.surged_at is None and self.windows >= KNOWN_WINDOWS and self._surging(float(self.count), trouble):
            self.surged_at = at

    def close(self, windows: float, at: float, *, trouble: bool) -> None:
        """The present window is over; it took as long as `windows` (at least one)."""
        now = self.count / windows
        if self.surged_at is None:
            # a silence that is unheard of is not learned: it may be the end
            if self.count or not self._long_silent(at):
                self._learn(now, windows)
        elif at - self.surged_at >= ADOPTED_S:
            self.mean, self.peak, self.surged_at = now, max(self.peak, self.level), None
        elif now <= max(2.0 * self.peak, self.mean, 1.0):
            self.peak = max(self.peak, self.level * (RECURS if trouble else 1.0))
            self.surged_at = None
        if self.surged_at is None or now > self.level:
            self.level = now
        self.count = 0

    def vanished(self, at: float, *, alive: bool) -> bool:
        """Whether it has stopped, while the log is `alive`."""
        if self.gone_at is None and alive and self._long_silent(at):
            known = self.windows >= (STEADY_WINDOWS if self.busy >= STEADY else REMEMBERED_WINDOWS)
            if known and self.busy * (at - self.last) / WINDOW_S >= GONE_EXPECTED:
                self.gone_at = at
        return self.gone_at is not None

    def take(self, other: "Pace") -> None:
        """The lines of `other` are of this one from now on."""
        self.first = min(self.first, other.first)
        self.last, self.lines = max(self.last, other.last), max(self.lines, other.lines)
        self.seen += other.seen
        self.count += other.count
        self.mean += other.mean
        self.peak += other.peak
        self.level += other.level
        self.busy = max(self.busy, other.busy)
        self.windows = max(self.windows, other.windows)
        self.gap = min(self.gap, other.gap)
        self.gone_at = None
        self.new_at = None if self.new_at is None or other.new_at is None else min(self.new_at, other.new_at)

    def _long_silent(self, at: float) -> bool:
        return at - self.last > 3.0 * max(self.gap, WINDOW_S)

    def _surging(self, count: float, trouble: bool) -> bool:
        """P(X >= x) of a Poisson count with mean m is at most exp(-(x ln(x/m) - x + m)) for x > m (Chernoff bound)."""
        mean = max(self.mean, 1.0 / (self.windows + 1.0))
        if count < (LEAST_TROUBLE if trouble else LEAST) or count <= max(BEYOND_PEAK * self.peak, mean):
            return False
        return count * math.log(count / mean) - count + mean >= LOG_CHANCE

    def _learn(self, now: float, windows: float) -> None:
        self.windows = min(self.windows + windows, float(REMEMBERED_WINDOWS))
        part = min(1.0, windows / self.windows)
        self.mean += (now - self.mean) * part
        self.busy += ((now > 0.0) - self.busy) * part
        self.peak = max(now, self.peak * 0.5 ** (windows * WINDOW_S / PEAK_HALF_LIFE_S))
