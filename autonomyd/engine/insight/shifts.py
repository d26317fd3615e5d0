"""Listens to the ring: a detector a series says where its level moved for good."""

from collections import deque
from collections.abc import Mapping

from autonomyd.aio.clock import Clock
from autonomyd.analyze.shifts.detector import Move, ShiftDetector
from autonomyd.analyze.timeline import LEVEL_SHIFTED
from autonomyd.engine.insight.room import Room
from autonomyd.engine.records import Records
from autonomyd.model.subject import Subject
from autonomyd.model.timeline import Shift
from autonomyd.monitor.ring import RingReader

MOST_SERIES = 1000
"""Further series are judged when one of these is unused: memory is bounded whatever a program pushes."""
KEPT = 200
LEAST: Mapping[str, float] = {"%": 5.0, "ms": 5.0, "s": 1.0, "MB": 10.0, "KB/s": 50.0, "": 2.0}
"""The smallest shift that is told, by the series' unit: a quiet series moves by less all the time."""


class ShiftWatch:
    """`newest` holds the shifts of late, oldest first; each is a line of the diary as well."""

    def __init__(self, *, clock: Clock, records: Records, metrics: RingReader) -> None:
        self._clock = clock
        self._records = records
        self._metrics = metrics
        self._detectors: dict[tuple[Subject, str], tuple[ShiftDetector, str]] = {}
        self._room = Room()
        self.newest: deque[Shift] = deque(maxlen=KEPT)
        self._end = metrics.subscribe(self.hear)

    async def close(self) -> None:
        """Listen no longer."""
        self._end()

    def hear(self, subject: Subject, at: float, values: Mapping[str, float]) -> None:
        """A new row of the ring; `at` is monotonic seconds."""
        detectors = self._detectors
        for metric, value in values.items():
            known = detectors.get((subject, metric))
            if known is None:
                known = self._begin(subject, metric, at)
                if known is None:
                    continue
            move = known[0].observe(at, value)
            if move is not None:
                self._tell(subject, metric, known[1], move)

    def since(self, at: float, *, subject: Subject | None = None) -> tuple[Shift, ...]:
        """The shifts whose onset is not before `at` (epoch seconds), oldest first."""
        return tuple(each for each in self.newest if each.at >= at and subject in (None, each.subject))

    def _begin(self, subject: Subject, metric: str, at: float) -> tuple[ShiftDetector, str] | None:
        if len(self._detectors) >= MOST_SERIES:
            leaver = self._room.leaver(at, ((each.last, key) for key, (each, _) in self._detectors.items()))
            if leaver is None:
                return None
            del self._detectors[leaver]
        view = self._metrics.view(subject, metric)
        unit = "" if view is None else view.unit
        made = self._detectors[subject, metric] = (ShiftDetector(least=LEAST.get(unit, 0.0)), unit)
        return made

    def _tell(self, subject: Subject, metric: str, unit: str, move: Move) -> None:
        shift = Shift(
            at=move.at + self._clock.wall() - self._clock.monotonic(),
            within_s=move.within_s,
            subject=subject,
            metric=metric,
            unit=unit,
            before=move.before,
            after=move.after,
            size=move.size,
        )
        self.newest.append(shift)
        self._records.event(LEVEL_SHIFTED, subject, shift_words(shift), at=shift.at)


def shift_words(shift: Shift) -> str:
    """ "rss_mb went from 102 to 180 MB, 9 times its spread"."""
    unit = f" {shift.unit}" if shift.unit else ""
    return f"{shift.metric} went from {shift.before:.4g} to {shift.after:.4g}{unit}, {shift.size:.0f} times its spread"
