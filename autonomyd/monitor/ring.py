"""The metrics ring: columnar, bounded, read-only for everyone but the sampler.

A frame holds the metrics that one probe takes of one subject: one column of times and one column a metric,
appended together. A column is an append-only block; when a block is full the newest samples move to a new one.
So a view that was handed out never changes under its reader, and never pins more than one block. A column takes its
block at its first change: most counts of most services (threads, children, zombies) stay what they are for ever.
"""

import heapq
import math
from array import array
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import structlog

from autonomyd.model.subject import Subject

CAPACITY = 1000
MOST_FRAMES = 10_000
"""Subjects come and go (mounts, containers), and a program may put a number into the names of what it pushes. Beyond so
many frames (three thousand services have fewer; a young one takes 1 KB) those that nothing was added to for longest are
dropped."""
DROPPED_SHARE = 0.125
"""... so many at once, that the looking for them is no work of each row."""
DOUBLE = "d"
SINGLE = "f"
_FIRST_BLOCK = 64
_SLACK = 64

log = structlog.get_logger(__name__)

Subscriber = Callable[[Subject, float, Mapping[str, float]], None]
Dropped = Callable[[Collection[tuple[Subject, str]]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesView:
    """The newest samples of one series, oldest first. `at` (monotonic seconds) and `values` are read-only
    memoryviews of equal length, times of doubles, values of doubles or singles; nan marks a sample not known."""

    subject: Subject
    metric: str
    unit: str
    at: memoryview
    values: memoryview

    @property
    def name(self) -> str:
        return series_name(self.subject, self.metric)

    def known(self) -> Iterator[tuple[float, float]]:
        """(at, value) of the known samples."""
        return ((at, value) for at, value in zip(self.at, self.values, strict=True) if not math.isnan(value))


def series_name(subject: Subject, metric: str) -> str:
    """The full name of a series: `host/cpu.percent`, `service:web/rss_mb`."""
    return f"{subject}/{metric}"


class _Steady:
    """A column that had one value in the rows from `begin` to before `end`, and none outside."""

    __slots__ = ("begin", "end", "value")

    def __init__(self, row: int, value: float) -> None:
        self.begin = row
        self.end = row + 1
        self.value = float(value)

    def spread(self, size: int, code: str) -> "array[float]":
        """The same as a block of `size` rows."""
        same = array(code, [self.value]) * (self.end - self.begin)
        return _blank(self.begin, code) + same + _blank(size - self.end, code)

    def shift(self, rows: int) -> None:
        """Forget the oldest `rows`."""
        self.begin = max(0, self.begin - rows)
        self.end = max(0, self.end - rows)


class Frame:
    """The columns of one probe on one subject."""

    __slots__ = ("_at", "_base", "_block", "_capacity", "_code", "_columns", "_end", "subject", "units")

    def __init__(
        self, subject: Subject, units: Mapping[str, str], capacity: int = CAPACITY, *, code: str = DOUBLE
    ) -> None:
        self._code = code
        self.subject = subject
        self.units = units
        self._capacity = capacity
        self._block = min(_FIRST_BLOCK, capacity)
        self._end = 0
        self._at = _blank(self._block, code)
        self._base = 0.0
        self._columns: dict[str, array[float] | _Steady] = {}

    def append(self, at: float, values: Mapping[str, float]) -> None:
        """Add one row; a metric of the frame that `values` lacks becomes nan."""
        if self._end == self._block:
            self._move()
        row = self._end
        if row == 0 and self._code == SINGLE:
            self._base = at  # times are kept as seconds since the oldest: that fits 7 digits, the clock itself does not
        self._at[row] = at - self._base
        columns = self._columns
        for metric, value in values.items():
            column = columns.get(metric)
            if column is None:
                columns[metric] = _Steady(row, value)
                continue
            if isinstance(column, _Steady):
                if column.value == value and column.end == row:
                    column.end = row + 1
                    continue
                column = columns[metric] = column.spread(self._block, self._code)
            column[row] = value
        self._end = row + 1

    def metrics(self) -> tuple[str, ...]:
        return tuple(self._columns)

    def view(self, metric: str) -> SeriesView:
        """The last `capacity` samples of `metric`. Raises KeyError when the frame has no such metric."""
        column = self._columns[metric]
        if isinstance(column, _Steady):
            column = column.spread(self._end, self._code)
        rows = slice(max(0, self._end - self._capacity), self._end)
        return SeriesView(
            subject=self.subject,
            metric=metric,
            unit=self.units.get(metric, ""),
            at=memoryview(self._times(rows)).toreadonly(),
            values=memoryview(column)[rows].toreadonly(),
        )

    def last(self, metric: str) -> float:
        """The newest value; nan when it was not known."""
        column = self._columns.get(metric)
        if isinstance(column, _Steady):
            return column.value if column.end == self._end else math.nan
        return math.nan if column is None or not self._end else column[self._end - 1]

    def last_at(self) -> float:
        """When the newest row was taken; -inf before the first."""
        return self._base + self._at[self._end - 1] if self._end else -math.inf

    def _times(self, rows: slice) -> "array[float] | memoryview":
        if self._code == DOUBLE:
            return memoryview(self._at)[rows]
        base = self._base
        return array(DOUBLE, [base + at for at in self._at[rows]])

    def _move(self) -> None:
        keep = min(self._end, self._capacity - 1)
        # From the first small block to the full one at once: growing by steps leaves holes that nothing else fits into.
        self._block = self._capacity + min(_SLACK, self._capacity)
        if self._code == SINGLE and keep:
            oldest = self._at[self._end - keep]
            self._base += oldest
            kept = array(SINGLE, [at - oldest for at in self._at[self._end - keep : self._end]])
            self._at = kept + _blank(self._block - keep, SINGLE)
        else:
            self._at = _moved(self._at, self._end, keep, self._block)
        for metric, column in self._columns.items():
            if isinstance(column, _Steady):
                column.shift(self._end - keep)
            else:
                self._columns[metric] = _moved(column, self._end, keep, self._block)
        self._end = keep


class RingReader:
    """What everybody else gets: looks and listens, cannot write."""

    __slots__ = ("_frames", "_subscribers")

    def __init__(self, frames: dict[tuple[Subject, str], Frame], subscribers: list[Subscriber]) -> None:
        self._frames = frames
        self._subscribers = subscribers

    def view(self, subject: Subject, metric: str) -> SeriesView | None:
        """The series, or None when nothing was ever taken of it."""
        for frame in self._of(subject):
            if metric in frame.metrics():
                return frame.view(metric)
        return None

    def by_name(self, name: str) -> SeriesView | None:
        """The series called `name` (`subject/metric`)."""
        for subject, metric in self.names():
            if series_name(subject, metric) == name:
                return self.view(subject, metric)
        return None

    def last(self, subject: Subject, metric: str) -> float | None:
        """The newest known value, else None."""
        for frame in self._of(subject):
            if metric in frame.metrics():
                value = frame.last(metric)
                return None if math.isnan(value) else value
        return None

    def latest(self, subject: Subject, *, since: float = -math.inf) -> dict[str, float]:
        """The newest known value of every metric of `subject`, without what was last seen before `since`."""
        frames = [frame for frame in self._of(subject) if frame.last_at() >= since]
        found = {metric: frame.last(metric) for frame in frames for metric in frame.metrics()}
        return {metric: value for metric, value in found.items() if not math.isnan(value)}

    def names(self, *, since: float = -math.inf) -> tuple[tuple[Subject, str], ...]:
        """(subject, metric) of every series, without those of which nothing was taken since then (monotonic s)."""
        frames = (frame for frame in self._frames.values() if frame.last_at() >= since)
        return tuple((frame.subject, metric) for frame in frames for metric in frame.metrics())

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber(subject, at, values)` for each new row; returns the function that ends it."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def _of(self, subject: Subject) -> Iterator[Frame]:
        return (frame for frame in self._frames.values() if frame.subject == subject)


class MetricsRing:
    """The writer's side: one in the process, held by the sampler alone. `dropped` hears of the series that had to make
    room."""

    def __init__(self, capacity: int = CAPACITY, *, dropped: Dropped = lambda series: None) -> None:
        self._capacity = capacity
        self._dropped = dropped
        self._frames: dict[tuple[Subject, str], Frame] = {}
        self._subscribers: list[Subscriber] = []
        self._failures = 0
        self.reader = RingReader(self._frames, self._subscribers)

    def append(
        self,
        subject: Subject,
        probe: str,
        at: float,
        values: Mapping[str, float],
        units: Mapping[str, str],
        *,
        code: str = DOUBLE,
    ) -> None:
        """Add one row to the frame of (`subject`, `probe`). `code` is how its values are kept: DOUBLE, or SINGLE
        (7 digits, half the memory)."""
        frame = self._frames.get((subject, probe))
        if frame is None:
            if len(self._frames) >= MOST_FRAMES:
                self._drop()
            frame = self._frames[subject, probe] = Frame(subject, units, self._capacity, code=code)
        frame.append(at, values)
        for subscriber in tuple(self._subscribers):
            try:
                subscriber(subject, at, values)
            except Exception:
                # whoever only listens must never cost the machine its watch
                self._failures += 1
                if self._failures.bit_count() == 1:
                    log.exception("metrics_listener_failed", subject=subject, failures=self._failures)

    def forget(self, probe: str) -> None:
        """Drop the frames of a probe that is gone, of every subject that it looked at."""
        for key in [key for key in self._frames if key[1] == probe]:
            del self._frames[key]

    def _drop(self) -> None:
        """Make room for others."""
        count = max(1, int(DROPPED_SHARE * len(self._frames)))
        oldest = heapq.nsmallest(count, self._frames.items(), key=lambda item: item[1].last_at())
        for key, _ in oldest:
            del self._frames[key]
        kept = frozenset(self.reader.names())
        series = {(frame.subject, metric) for _, frame in oldest for metric in frame.metrics()} - kept
        log.warning("series_dropped", series=len(series), most=MOST_FRAMES)
        self._dropped(series)


def _blank(size: int, code: str = DOUBLE) -> "array[float]":
    return array(code, [math.nan]) * size


def _moved(column: "array[float]", end: int, keep: int, size: int) -> "array[float]":
    fresh = _blank(size, column.typecode)
    fresh[:keep] = column[end - keep : end]
    return fresh
