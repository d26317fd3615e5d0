"""A bound with hysteresis: separate enter and clear levels, minimum duration, N consecutive, X within Y."""

import math
from collections import deque
from dataclasses import dataclass

from autonomyd.analyze.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdRule:
    """Raised when values are beyond `enter` for `for_s` seconds and `consecutive` samples in a row, or, when
    `within` is more than 1, for `consecutive` of the last `within` samples. Cleared when they are back at `clear`
    for `clear_for_s` seconds. `above` False watches for values that are too low."""

    enter: float
    clear: float
    above: bool = True
    for_s: float = 0.0
    clear_for_s: float = 0.0
    consecutive: int = 1
    within: int = 0

    def beyond(self, value: float) -> bool:
        return value > self.enter if self.above else value < self.enter

    def back(self, value: float) -> bool:
        return value <= self.clear if self.above else value >= self.clear


class ThresholdDetector:
    """Judges one series. Feed it in order of time; nan and infinities are unknown and change nothing."""

    __slots__ = ("_back_since", "_beyond_since", "_recent", "_streak", "raised", "rule", "value")

    def __init__(self, rule: ThresholdRule) -> None:
        self.rule = rule
        self.raised = False
        self.value: float | None = None
        self._streak = 0
        self._beyond_since: float | None = None
        self._back_since: float | None = None
        # only the rule "X within Y" needs more than the newest: a deque a detector would cost 0.6 kB each
        self._recent: deque[bool] | None = deque(maxlen=rule.within) if rule.within else None

    def observe(self, at: float, value: float) -> Verdict:
        """The verdict after this sample. `at` is monotonic seconds."""
        if not math.isfinite(value):
            return Verdict.SILENT
        self.value = value
        rule = self.rule
        beyond = rule.beyond(value)
        if self._recent is not None:
            self._recent.append(beyond)
        if beyond:
            self._streak += 1
            self._back_since = None
            if self._beyond_since is None:
                self._beyond_since = at
        else:
            self._streak = 0
            if self._recent is None:
                self._beyond_since = None
        if not self.raised:
            self.raised = self._enough(at)
            if self.raised:
                return Verdict.RAISED
            # between the levels a new detector can't tell: an issue of the last run may stand open
            seen = beyond if self._recent is None else any(self._recent)
            return Verdict.CLEARED if rule.back(value) and not seen else Verdict.PENDING
        return self._still_raised(at, value)

    def _enough(self, at: float) -> bool:
        rule = self.rule
        if self._recent is not None:
            hits = sum(self._recent)
            if not hits:
                self._beyond_since = None
            if hits < rule.consecutive:
                return False
        elif self._streak < rule.consecutive:
            return False
        return self._beyond_since is not None and at - self._beyond_since >= rule.for_s

    def _still_raised(self, at: float, value: float) -> Verdict:
        rule = self.rule
        if not rule.back(value):
            self._back_since = None
            return Verdict.RAISED
        if self._back_since is None:
            self._back_since = at
        if at - self._back_since < rule.clear_for_s:
            return Verdict.RAISED
        self.raised = False
        self._streak = 0
        self._beyond_since = None
        if self._recent is not None:
            self._recent.clear()
        return Verdict.CLEARED
