"""Long looks at recorded history for a person: one at a time, in a thread, bounded in time, with progress."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from autonomyd.aio.clock import Clock
from autonomyd.aio.offload import in_thread
from autonomyd.engine.insight.series import SeriesReader
from autonomyd.engine.records import Records
from autonomyd.model.health import Severity
from autonomyd.model.issue import SOON, Issue, IssueType
from autonomyd.model.rollup import Point
from autonomyd.model.subject import HOST, Subject
from autonomyd.monitor.ring import RingReader, series_name

MOST_S = 50.0
"""Then it ends with what it has: who asked would not wait for more."""

HANDOVER_S = 0.0005
"""How long the interpreter lets the thread go on while a loop wants to run (usually 5 ms): an answer is made of many
such turns, and would take half a second more."""

T = TypeVar("T")


class Busy(Exception):  # noqa: N818 - a state of affairs
    """Somebody else's look is not over yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`done` of `of` series have been looked at; `what` in words, "" while nobody looks."""

    what: str = ""
    done: int = 0
    of: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A series that can be looked at, and its unit."""

    subject: Subject
    metric: str
    unit: str

    @property
    def name(self) -> str:
        return series_name(self.subject, self.metric)


class Workbench:
    """Reads only. `progress` is the look under way; `series` reads one of them for whoever asks."""

    def __init__(self, *, clock: Clock, metrics: RingReader, records: Records) -> None:
        self.clock = clock
        self._metrics = metrics
        self._records = records
        self.series = SeriesReader(clock=clock, metrics=metrics, records=records)
        self._lock = asyncio.Lock()
        self.progress = Progress()

    async def known(self) -> tuple[Known, ...]:
        """Every series that something is on disk of, by name; then those that are measured and not recorded yet."""
        measured = {series_name(subject, metric): (subject, metric) for subject, metric in self._metrics.names()}
        found = []
        for name, recorded in (await self.series.recorded()).items():
            subject, metric = measured.pop(name) if name in measured else _parted(name)
            found.append(Known(subject=subject, metric=metric, unit=recorded.unit))
        for subject, metric in measured.values():
            view = self._metrics.view(subject, metric)
            found.append(Known(subject=subject, metric=metric, unit="" if view is None else view.unit))
        return tuple(found)

    async def problems(self, *, since: float) -> list[tuple[Issue, int]]:
        """The recorded problems since then (epoch seconds) with the number of their fixes, without those that only
        foretell or notice."""
        records = self._records
        found: list[tuple[Issue, int]] = await records.read(lambda: records.issues.since(since), [])
        return [(issue, fixes) for issue, fixes in found if _hurts(issue)]

    async def each(
        self, what: str, series: Sequence[Known], look: Callable[[Known, list[Point]], T], *, since: float
    ) -> tuple[list[T], int]:
        """What `look` (called in a thread, with the points of a minute since then) makes of each series that has any,
        and how many series were not reached in time. Raises Busy."""
        if self._lock.locked():
            raise Busy(self.progress.what)
        async with self._lock:
            began = self.clock.monotonic()
            made: list[T] = []
            before = sys.getswitchinterval()
            sys.setswitchinterval(HANDOVER_S)
            try:
                for done, known in enumerate(series):
                    self.progress = Progress(what=what, done=done, of=len(series))
                    if self.clock.monotonic() - began > MOST_S:
                        return made, len(series) - done
                    points = await self.series.stored(known.name, since=since)
                    if points:
                        made.append(await in_thread(lambda known=known, points=points: look(known, points)))  # type: ignore[misc]
                return made, 0
            finally:
                sys.setswitchinterval(before)
                self.progress = Progress()


def concerns(issue: Issue, known: Known) -> bool:
    """Whether a recorded problem is one that a rule on the series should have told: any of its service or disk; of the
    host only one of the same metric, because the host has many and they have little to do with one another."""
    return issue.subject == known.subject and (known.subject != HOST or issue.metric == known.metric)


def _hurts(issue: Issue) -> bool:
    foretold = issue.metric.endswith(SOON) or issue.type is IssueType.ANOMALY
    return issue.severity is not Severity.NOTICE and not foretold


def _parted(name: str) -> tuple[Subject, str]:
    subject, _, metric = name.rpartition("/")
    return Subject(subject), metric
