"""Up and down, up and down: a check that changes its mind too often is a trouble of its own, though no single failure
lasts. As Nagios does it ("Detection and Handling of State Flapping", Nagios Core documentation): the changes among the
last 21 known states, newer ones weighing more, in percent of all that could have been, with two thresholds."""

from autonomyd.analyze.verdict import Verdict

STATES = 21
OLDEST_WEIGHT, NEWEST_WEIGHT = 0.8, 1.2

_WEIGHTS = tuple(
    100.0 / (STATES - 1) * (NEWEST_WEIGHT - (NEWEST_WEIGHT - OLDEST_WEIGHT) * age / (STATES - 2))
    for age in range(STATES - 1)
)
"""What a change adds, in percent, by its age: 0 is the newest."""


class FlapDetector:
    """Raised from `high` percent of change on, cleared below `low`. Unknown states are not fed."""

    __slots__ = ("_changes", "_high", "_last", "_low", "known", "raised")

    def __init__(self, *, high: float = 30.0, low: float = 25.0) -> None:
        self._high = high
        self._low = low
        self._last: bool | None = None
        self._changes = 0  # a bit a pair of states, the newest lowest
        self.known = 0
        self.raised = False

    def observe(self, good: bool) -> Verdict:
        """The verdict after this state."""
        if self._last is not None:
            self._changes = ((self._changes << 1) | (good is not self._last)) & ((1 << (STATES - 1)) - 1)
        self._last = good
        self.known = min(self.known + 1, STATES)
        percent = self.percent
        self.raised = percent >= (self._low if self.raised else self._high)
        if self.raised:
            return Verdict.RAISED
        return Verdict.CLEARED if percent < self._low else Verdict.PENDING

    @property
    def changes(self) -> int:
        """How often it changed among the last 21 states."""
        return self._changes.bit_count()

    @property
    def percent(self) -> float:
        """The weighted share of changes, 0..100."""
        changes = self._changes
        return sum(weight for age, weight in enumerate(_WEIGHTS) if changes >> age & 1) if changes else 0.0
