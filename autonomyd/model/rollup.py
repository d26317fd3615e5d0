"""A point of a recorded series: what its samples were over a minute, an hour, or one sample alone."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from autonomyd.model.words import DAY_S as DAY_S
from autonomyd.model.words import HOUR_S as HOUR_S
from autonomyd.model.words import MINUTE_S as MINUTE_S


class Point(NamedTuple):
    """What the `samples` of the `step_s` seconds from `at` on (epoch seconds) were: the lowest, the highest, their
    mean, and the last of them. With `step_s` 0 it is one sample, taken at `at`. A tuple: there are a great many."""

    at: float
    step_s: float
    samples: int
    low: float
    high: float
    mean: float
    last: float

    @property
    def until(self) -> float:
        """When it ends, epoch seconds."""
        return self.at + self.step_s


def sample(at: float, value: float) -> Point:
    """One sample as a point."""
    return Point(at, 0.0, 1, value, value, value, value)


def merged(points: Sequence[Point]) -> Point:
    """One point of many, in order of time and at least one: the mean is that of the samples, not of the means."""
    count = sum(each.samples for each in points)
    return Point(
        points[0].at,
        points[-1].until - points[0].at,
        count,
        min(each.low for each in points),
        max(each.high for each in points),
        sum(each.mean * each.samples for each in points) / count,
        points[-1].last,
    )


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """At most `most` points that tell the same: neighbours within one of `most` equal spans of time are merged. Points
    in order of time; fewer than that stay as they are."""
    if len(points) <= most:
        return list(points)
    first = points[0].at
    width = (points[-1].at - first) / most or 1.0
    together = groupby(points, key=lambda each: min(most - 1, int((each.at - first) / width)))
    return [merged(list(group)) for _, group in together]


def expanded(point: Point) -> Iterator[tuple[float, float]]:
    """(at, value) of samples that a point may have been made of, evenly spread: as many, with the same lowest,
    highest, mean and last value. In which order they came is not known: what was common comes first, then the
    extremes, so that one high value of a minute is one high value, and not the whole minute."""
    count, low, high = point.samples, point.low, point.high
    ends = [point.last] if count < 3 or low == high else [low, high, point.last]
    ends = ends[-count:]
    rest = count - len(ends)
    common = min(high, max(low, (point.mean * count - sum(ends)) / rest)) if rest else point.mean
    gap = point.step_s / count
    for index in range(count):
        yield point.at + gap * (index + 1), common if index < rest else ends[index - rest]


def coverage_s(points: Iterable[Point]) -> float:
    """The time that points of a step stand for, s."""
    return sum(each.step_s for each in points)
