"""Where in a row of values the level moved: the split that leaves the least squares, and how far off it may be."""

CLIP = 3.0
"""Values further than this many spreads outside both levels count as that: a spike must not draw the place to it."""
LIKELY = 4.0
"""A split whose squares are at most this many variances over the best is a likely place too: the likelihood-ratio
confidence set of a change point (Siegmund, "Confidence sets in change-point problems", ISR 1988)."""


def placed(values: list[float], *, begin: int, end: int, spread: float) -> tuple[int, int, int]:
    """(best, first, last) index of the first value on the new level, looked for from `begin` to before `end`.
    `spread` is the deviation of the values around either level. One pass over prefix sums."""
    ordered = sorted(values)
    tenth = len(ordered) // 10
    low, high = ordered[tenth] - CLIP * spread, ordered[-1 - tenth] + CLIP * spread
    shape = [min(max(value, low), high) - low for value in values]
    total = sum(shape)
    size = len(shape)
    gains: list[float] = []
    head = sum(shape[:begin])
    for split in range(begin, end):
        rest = total - head
        gains.append(head * head / split + rest * rest / (size - split))
        head += shape[split]
    best = max(range(len(gains)), key=gains.__getitem__)
    least = gains[best] - LIKELY * spread * spread
    likely = [index for index, gain in enumerate(gains) if gain >= least]
    return begin + best, begin + likely[0], begin + likely[-1]
