"""The history of every series: a slice (one point of all series) as each minute ends, packed into chunks (one series
over a whole span) when the span is over. Two levels of the same: minutes in hours, hours in days.

A slice has its own number, so that a minute that came twice (a restart within it, a clock that was set back) is
merged, never overwritten. Packing reads everything from the store: nothing is lost with the process."""

import json
import math
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from autonomyd.aio.offload import in_thread
from autonomyd.knowledge.columns import Columns, unpacked
from autonomyd.knowledge.store import Store
from autonomyd.knowledge.write import Value, Write
from autonomyd.model.rollup import DAY_S, HOUR_S, MINUTE_S, Point

log = structlog.get_logger(__name__)

MOST_SPANS = 4000
"""Chunks of one series in one answer, the newest: ten years of days, half a year of hours."""
_LENGTH = struct.Struct("<I")
_MOST_NAMES_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Points of `step_s`, packed in spans of `span_s`."""

    step_s: int
    span_s: int

    def begin(self, at: float) -> int:
        """Where the span around `at` begins."""
        return int(at // self.span_s) * self.span_s


MINUTES = Level(step_s=MINUTE_S, span_s=HOUR_S)
HOURS = Level(step_s=HOUR_S, span_s=DAY_S)


class Row(NamedTuple):
    """One series in a slice."""

    name: str
    unit: str
    samples: int
    low: float
    high: float
    mean: float
    last: float


class Recorded(NamedTuple):
    """What is on disk of one series: from when to when, epoch seconds."""

    name: str
    unit: str
    since: float
    until: float


class Rollups:
    """Reads raise StoreUnavailable when the database cannot be read; writes never fail."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.unreadable = 0

    @property
    def well(self) -> bool:
        """Whether the database takes writes. What waits meanwhile waits with the caller, who bounds it."""
        return self._store.status().state == "ok"

    async def add(self, level: Level, at: int, body: bytes) -> None:
        """Keep a slice (`slice_of`) whose points begin at `at`, a multiple of the level's step."""
        await self._store.put(_slice(level, at, body))

    async def pack(self, *, now: float) -> int:
        """Pack every span that is over at `now` (epoch seconds), and returns how many. A span that lies in the
        future (the clock was set back) counts as over."""
        packed = 0
        for level, above in ((MINUTES, HOURS), (HOURS, None)):
            rows = await self._store.fetch("rollup_spans", {"step": level.step_s, "span": level.span_s})
            for begin in [row["at"] for row in rows if row["at"] != level.begin(now)]:
                await self._pack(level, above, begin)
                packed += 1
        return packed

    async def points(self, name: str, level: Level, *, since: float, until: float) -> list[Point]:
        """The points of the series `name` that begin in [since, until), in order of time."""
        span = {"step": level.step_s, "since": level.begin(since), "until": math.ceil(until)}
        of: dict[str, Value] = {"name": name, "span": level.span_s, "most": MOST_SPANS, **span}
        chunks = await self._store.fetch("rollup_chunks_of", of)
        slices = await self._store.fetch("rollup_slices", span)

        def found() -> list[Point]:
            spans = {row["at"]: columns for row in chunks if (columns := self._columns(row["body"])) is not None}
            for row in slices:
                for each in self._rows(row["body"], only=name):
                    begin = level.begin(row["at"])
                    columns = spans.setdefault(begin, Columns(level.span_s // level.step_s))
                    columns.add((row["at"] - begin) // level.step_s, each[2:])
            points = (point for begin in sorted(spans) for point in _points(level, begin, spans[begin]))
            return [point for point in points if since <= point.at < until]

        return await in_thread(found)

    async def recorded(self) -> list[Recorded]:
        """Every series that something is on disk of. One that came within the hour under way may be missing."""
        extent = (await self._store.fetch("rollup_extent", {"minute": MINUTE_S, "hour": HOUR_S}))[0]
        begins = [extent[key] for key in ("minutes_at", "hours_at") if extent[key] is not None]
        begin = min(begins, default=math.inf)
        rows = await self._store.fetch("rollup_series")
        packed = (Recorded(row["name"], row["unit"], max(row["first_at"], begin), row["last_at"]) for row in rows)
        found = {each.name: each for each in packed if each.since < each.until}
        for oldest in await self._store.fetch("oldest_rollup_slice", {"step": MINUTE_S}):
            for row in self._rows(oldest["body"]):
                fresh = Recorded(row.name, row.unit, float(oldest["at"]), float(oldest["at"] + MINUTE_S))
                found.setdefault(row.name, fresh)
        return list(found.values())

    async def size_bytes(self) -> int:
        """What the chunks take."""
        return int((await self._store.fetch("rollup_extent", {"minute": MINUTE_S, "hour": HOUR_S}))[0]["bytes"])

    async def _pack(self, level: Level, above: Level | None, begin: int) -> None:
        span = {"step": level.step_s, "since": begin, "until": begin + level.span_s}
        slices = await self._store.fetch("rollup_slices", span)
        kept = await self._store.fetch("rollup_chunks_at", {"step": level.step_s, "at": begin})

        def writes() -> list[Write]:
            fresh = self._by_series(level, begin, [(row["at"], row["body"]) for row in slices])
            before = {row["name"]: row["body"] for row in kept if row["name"] in fresh}
            made = [write for name, entry in fresh.items() for write in self._chunk(level, begin, name, entry, before)]
            if above is not None:
                whole = [Row(name, unit, *sums) for name, (unit, each) in fresh.items() if (sums := each.whole())]
                made.append(_slice(above, begin - begin % above.step_s, slice_of(whole)))
            return [*made, Write(query="drop_packed_slices", params={**span, "upto": slices[-1]["seq"]})]

        if slices:
            slices.sort(key=lambda row: int(row["seq"]))
            await self._store.put(*await in_thread(writes))

    def _by_series(
        self, level: Level, begin: int, slices: Iterable[tuple[int, bytes]]
    ) -> dict[str, tuple[str, Columns]]:
        found: dict[str, tuple[str, Columns]] = {}
        for at, body in slices:
            slot = (at - begin) // level.step_s
            for row in self._rows(body):
                entry = found.get(row.name)
                if entry is None:
                    entry = found[row.name] = (row.unit, Columns(level.span_s // level.step_s))
                entry[1].add(slot, row[2:])
        return found

    def _chunk(
        self, level: Level, begin: int, name: str, entry: tuple[str, Columns], before: Mapping[str, bytes]
    ) -> tuple[Write, Write]:
        unit, columns = entry
        slots = [row[0] for row in columns.rows()]
        first, last = begin + slots[0] * level.step_s, begin + (slots[-1] + 1) * level.step_s
        if name in before and (old := self._columns(before[name])) is not None and old.slots == columns.slots:
            for row in columns.rows():
                old.add(row[0], row[1:])
            columns = old
        seen = "put_rollup_series" if level is MINUTES else "name_rollup_series"
        return (
            Write(query=seen, params={"name": name, "unit": unit, "first_at": first, "last_at": last}),
            Write(
                query="put_rollup_chunk",
                params={"step": level.step_s, "at": begin, "name": name, "body": columns.packed()},
            ),
        )

    def _columns(self, body: bytes) -> Columns | None:
        try:
            return unpacked(body)
        except ValueError as error:
            self._skip(error)
            return None

    def _rows(self, body: bytes, *, only: str | None = None) -> Iterable[Row]:
        try:
            return rows_of(body, only=only)
        except ValueError as error:
            self._skip(error)
            return ()

    def _skip(self, error: ValueError) -> None:
        self.unreadable += 1
        log.error("stored_history_unreadable", reason=str(error))


def slice_of(rows: Sequence[Row]) -> bytes:
    """One point of many series as bytes."""
    names = json.dumps([[row.name, row.unit] for row in rows], separators=(",", ":")).encode()
    columns = Columns(len(rows))
    for slot, row in enumerate(rows):
        columns.add(slot, row[2:])
    head = zlib.compress(names, 1)
    return _LENGTH.pack(len(head)) + head + columns.packed()


def rows_of(body: bytes, *, only: str | None = None) -> list[Row]:
    """What `slice_of` made of; `only` the series of that name. Raises ValueError for anything else."""
    try:
        (length,) = _LENGTH.unpack_from(body)
        head = zlib.decompressobj().decompress(body[_LENGTH.size : _LENGTH.size + length], _MOST_NAMES_BYTES)
        names = json.loads(head)
        columns = unpacked(body[_LENGTH.size + length :])
        found = [Row(str(names[row[0]][0]), str(names[row[0]][1]), *row[1:]) for row in columns.rows()]
    except (struct.error, zlib.error, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"no slice: {error}") from None
    return [row for row in found if only is None or row.name == only]


def _slice(level: Level, at: int, body: bytes) -> Write:
    return Write(query="put_rollup_slice", params={"step": level.step_s, "at": at, "body": body})


def _points(level: Level, begin: int, columns: Columns) -> Iterable[Point]:
    step = float(level.step_s)
    return (Point(begin + row[0] * step, step, *row[1:]) for row in columns.rows())
