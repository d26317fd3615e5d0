"""Failures in a row: the judge of checks. `unknown` neither counts nor resets."""

from autonomyd.analyze.verdict import Verdict
from autonomyd.model.reading import ReadingState

HISTORY = 100


class StreakDetector:
    """Raised after `failures` failed readings in a row, cleared after `passes` good ones.
    Remembers the last 100 known readings for `availability_percent`."""

    __slots__ = (
        "_bits",
        "_count",
        "_failures_needed",
        "_passes_needed",
        "failures",
        "last",
        "passes",
        "raised",
        "since",
    )

    def __init__(self, failures: int, passes: int = 1) -> None:
        self._failures_needed = failures
        self._passes_needed = passes
        self.failures = 0
        self.passes = 0
        self.raised = False
        self.since: float | None = None
        self.last = ReadingState.UNKNOWN
        self._bits = 0
        self._count = 0

    def observe(self, at: float, state: ReadingState) -> Verdict:
        """The verdict after this reading. `at` is monotonic seconds; `since` becomes that of the first failure."""
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
            if self.since is None:
                self.since = at
            if self.failures >= self._failures_needed:
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
    def availability_percent(self) -> float | None:
        """Share of good ones among the last known readings, 0..100."""
        return 100.0 * self._bits.bit_count() / self._count if self._count else None
