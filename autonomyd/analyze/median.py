"""The median, also of values whose sum is no float any more. `statistics.median` adds the two in the middle."""

from collections.abc import Sequence


def median(values: Sequence[float]) -> float:
    """The median of at least one value."""
    return middle_of(sorted(values))


def middle_of(ordered: Sequence[float]) -> float:
    """The same of values that are in order."""
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else ordered[half - 1] / 2.0 + ordered[half] / 2.0
