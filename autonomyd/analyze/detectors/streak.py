"""Failures in a row: the judge of checks. `unknown` neither counts nor resets."""

from autonomyd.analyze.verdict import Verdict
from autonomyd.model.reading import ReadingState

HISTORY = 100
GRAIN_S = 0.01
"""Timers are not finer than this."""


class StreakDetector:
    """Raised after `failures` failed readings in a row that span `span_s` seconds at least, cleared after `passes` good
    ones. The span keeps quick second looks from making a hiccup a fault.
    Remembers the last 100 known readings for `availability_percent`."""

    __slots__ = (
        "_bits",
        "_count",
        "_failures_needed",
        "_passes_needed",
        "_span_s",
        "failures",
        "last",
        "newest",
        "passes",
        "raised",
        "since",
    )

    def __init__(self, failures: int, passes: int = 1, *, span_s: float = 0.0) -> None:
        self._failures_needed = failures
        self._span_s = span_s
        self._passes_needed = passes
        self.failures = 0
        self.passes = 0
        self.raised = False
        self.since: float | None = None
        self.newest = 0.0
        self.last = ReadingState.UNKNOWN
        self._bits = 0
        self._count = 0

    def observe(self, at: float, state: ReadingState, *, took_s: float = 0.0) -> Verdict:
        """The verdict after this reading, which ended at `at` (monotonic seconds) and took `took_s`; `since` becomes
        the begin of the first failed look."""
        self.last = state
        if state is ReadingState.UNKNOWN:
            return Verdict.SILENT
        good = state is ReadingState.OK
        self._bits = ((self._bits << 1) | good) & ((1 << HISTORY) - 1)
        self._count = min(self._count + 1, HISTORY)
        if good:
            self.passes += 1
            self.failures = 0
            if self.passes >= self._passes_needed:
                self.raised = False
                self.since = None
        else:
            self.failures += 1
            self.passes = 0
            began = at - took_s
            self.since = began if self.since is None else min(self.since, began)
            self.newest = at
            if self.failures >= self._failures_needed and self.failing_for_s >= self._span_s - GRAIN_S:
                self.raised = True
        if self.raised:
            return Verdict.RAISED
        return Verdict.CLEARED if good else Verdict.PENDING

    def reset(self) -> None:
        """Forget the streak (a new process has started); the availability stays."""
        self.failures = 0
        self.passes = 0
        self.raised = False
        self.since = None

    @property
    def failing_for_s(self) -> float:
        """From the begin of the first failed look of the row to the end of the newest."""
        return 0.0 if self.since is None else self.newest - self.since

    @property
    def availability_percent(self) -> float | None:
        """Share of good ones among the last known readings, 0..100."""
        return 100.0 * self._bits.bit_count() / self._count if self._count else None
