"""One series over any span, out of the three places that hold it: the ring where it reaches, before that points of a
minute, before those points of an hour. Reads; changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from autonomyd.aio.clock import Clock
from autonomyd.engine.records import Records
from autonomyd.knowledge.rollups import HOURS, MINUTES, Recorded
from autonomyd.model.rollup import Point, sample
from autonomyd.monitor.ring import RingReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """`points` are in order of time and do not overlap."""

    name: str
    unit: str
    points: list[Point]


class SeriesReader:
    """Wall times are told from the monotonic ones of the ring by what the clocks show now."""

    def __init__(self, *, clock: Clock, metrics: RingReader, records: Records) -> None:
        self._clock = clock
        self._metrics = metrics
        self._records = records

    async def read(self, name: str, *, since: float) -> Series | None:
        """What is known of the series `name` (`host/cpu.percent`) since then (epoch seconds); None when nothing ever
        was."""
        now = self._clock.wall()
        offset = now - self._clock.monotonic()
        view = self._metrics.by_name(name)
        fresh = [] if view is None else [sample(at + offset, value) for at, value in view.known()]
        ring_from = fresh[0].at if fresh else now
        old: list[Point] = []
        if since < ring_from:
            old = await self._stored(name, since=since, until=ring_from)
        if view is None:
            unit = (await self.recorded()).get(name)
            return None if unit is None else Series(name=name, unit=unit.unit, points=old)
        return Series(name=name, unit=view.unit, points=old + [point for point in fresh if point.at >= since])

    async def recorded(self) -> Mapping[str, Recorded]:
        """What is on disk, by name; nothing while the database can't be read."""
        records = self._records
        found: list[Recorded] = await records.read(records.rollups.recorded, [])
        return {each.name: each for each in found}

    async def stored(self, name: str, *, since: float) -> list[Point]:
        """The points of minutes alone, up to now: what a rule is tried on."""
        rollups, until = self._records.rollups, self._clock.wall()
        found: list[Point] = await self._records.read(
            lambda: rollups.points(name, MINUTES, since=since, until=until), []
        )
        return found

    async def _stored(self, name: str, *, since: float, until: float) -> list[Point]:
        """Minutes that begin before `until`, and hours that end before the first of those. The newest minute is told as
        if it ended at `until`: after a restart it is the one in which the ring begins anew."""
        rollups, read = self._records.rollups, self._records.read
        minutes: list[Point] = await read(lambda: rollups.points(name, MINUTES, since=since, until=until), [])
        if minutes and minutes[-1].until > until:
            minutes[-1] = minutes[-1]._replace(step_s=until - minutes[-1].at)
        minutes_from = minutes[0].at if minutes else until
        if minutes_from - since < HOURS.step_s:
            return minutes
        hours: list[Point] = await read(lambda: rollups.points(name, HOURS, since=since, until=minutes_from), [])
        return [point for point in hours if point.until <= minutes_from] + minutes
