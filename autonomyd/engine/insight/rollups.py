"""Keeps the history of every series: listens to the ring, closes a point of each as a minute ends, and brings the
minutes to the store at every turn of the loop. No judgement of its own.

Minutes are those of the wall clock, told anew at each minute's begin: after a jump of the clock the next minute has
the new time, and what comes twice is merged where it is kept. Between two minutes only the monotonic clock counts."""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.engine.records import Records
from autonomyd.knowledge.columns import LARGEST
from autonomyd.knowledge.errors import StoreUnavailable
from autonomyd.knowledge.rollups import MINUTES, Row, slice_of
from autonomyd.model.rollup import HOUR_S, MINUTE_S
from autonomyd.model.subject import Subject
from autonomyd.monitor.ring import RingReader, series_name

log = structlog.get_logger(__name__)

MOST_SERIES = 2000
"""More are not recorded: a program that puts a number into the names of what it pushes must not fill the memory."""
MOST_WAITING = 240
"""Minutes kept in memory while the database takes none; then the oldest go."""
FORGET_AFTER = 60
"""Minutes without a sample after which the memory of a series is given back."""
LATE_S = 120.0
"""A row of longer ago belongs to a minute that is over."""


@dataclass(slots=True)
class Counts:
    """What was not recorded, and why: `late` rows whose time was not of this or the last minute, `infinite` values,
    `crowded_out` samples of series above the most, `lost` minutes that nobody took."""

    late: int = 0
    infinite: int = 0
    crowded_out: int = 0
    lost: int = 0


class _Cell:
    """The minute of one series, as it grows."""

    __slots__ = ("count", "high", "idle", "last", "low", "name", "total", "unit")

    def __init__(self, name: str, unit: str) -> None:
        self.name = name
        self.unit = unit
        self.idle = 0
        self.count = 0
        self.total = self.last = 0.0
        self.low, self.high = math.inf, -math.inf

    def taken(self) -> Row:
        """The minute as it is; the next one is empty."""
        mean = min(self.high, max(self.low, self.total / self.count))
        row = Row(self.name, self.unit, self.count, self.low, self.high, mean, self.last)
        self.count = 0
        self.total = 0.0
        self.low, self.high = math.inf, -math.inf
        return row


class RollupKeeper:
    """`tick` at every turn of the loop, `close` at the end: then the minute under way is kept as far as it came."""

    def __init__(self, *, clock: Clock, metrics: RingReader, records: Records) -> None:
        self._clock = clock
        self._metrics = metrics
        self._records = records
        self._cells: dict[Subject, dict[str, _Cell]] = {}
        self._series = 0
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._packed_at: int | None = None
        self.counts = Counts()
        self._begin(clock.monotonic())
        self._unsubscribe = metrics.subscribe(self.observe)

    async def tick(self) -> None:
        """Bring what waits to the store; with every hour that is over, pack it."""
        self._turn(self._clock.monotonic())
        if self._records.rollups.well:
            await self._put()
            await self._pack()

    async def close(self) -> None:
        """Keep the minute under way too."""
        self._unsubscribe()
        self._end_minute()
        await self._put()  # the log of a database that is not well may still take it

    # --- the samples: this is called for every row of every probe ---------------------------------------------------

    def observe(self, subject: Subject, at: float, values: Mapping[str, float]) -> None:
        """A new row of the ring; `at` is monotonic seconds."""
        if not self._from <= at < self._until and not self._is_now(at):
            self.counts.late += 1
            return
        cells = self._cells.get(subject)
        if cells is None:
            cells = self._cells[subject] = {}
        for metric, value in values.items():
            cell = cells.get(metric)
            if cell is None:
                cell = self._new_cell(cells, subject, metric)
                if cell is None:
                    continue
            if -LARGEST < value < LARGEST:
                cell.count += 1
                cell.total += value
                cell.last = value
                if value < cell.low:
                    cell.low = value
                if value > cell.high:
                    cell.high = value
            elif value == value:
                self.counts.infinite += 1

    def _is_now(self, at: float) -> bool:
        """Whether a row of the monotonic time `at` is of this minute; the clock decides, not the row."""
        now = self._clock.monotonic()
        self._turn(now)
        return now - LATE_S <= at <= now + LATE_S

    def _new_cell(self, cells: dict[str, _Cell], subject: Subject, metric: str) -> _Cell | None:
        if self._series >= MOST_SERIES:
            if not self.counts.crowded_out:
                log.warning("series_not_recorded", subject=subject, metric=metric, most=MOST_SERIES)
            self.counts.crowded_out += 1
            return None
        self._series += 1
        view = self._metrics.view(subject, metric)
        cell = cells[metric] = _Cell(series_name(subject, metric), view.unit if view is not None else "")
        return cell

    # --- the minutes ------------------------------------------------------------------------------------------------

    def _turn(self, now: float) -> None:
        if now >= self._until:
            self._end_minute()
            self._begin(now)

    def _begin(self, now: float) -> None:
        wall = self._clock.wall()
        self._at = int(wall // MINUTE_S) * MINUTE_S
        self._until = now + (self._at + MINUTE_S - wall)
        self._from = now - LATE_S

    def _end_minute(self) -> None:
        rows = []
        for subject, cells in list(self._cells.items()):
            for metric, cell in list(cells.items()):
                if cell.count:
                    cell.idle = 0
                    rows.append(cell.taken())
                    continue
                cell.idle += 1
                if cell.idle >= FORGET_AFTER:
                    del cells[metric]
                    self._series -= 1
            if not cells:
                del self._cells[subject]
        if rows:
            self._waiting.append((self._at, slice_of(rows)))
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            if not self.counts.lost:
                log.warning("history_minutes_lost", kept=MOST_WAITING, reason="the database takes none")
            self.counts.lost += 1

    async def _put(self) -> None:
        while self._waiting:
            at, body = self._waiting[0]
            await self._records.rollups.add(MINUTES, at, body)
            self._waiting.popleft()

    async def _pack(self) -> None:
        hour = self._at - self._at % HOUR_S
        if hour == self._packed_at:
            return
        try:
            await self._records.rollups.pack(now=self._at)
        except StoreUnavailable as error:
            log.warning("history_not_packed", reason=str(error))
            return
        self._packed_at = hour
