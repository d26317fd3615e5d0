"""Listens to the ring: a detector a series learns what is usual and says what is not. No judgement of its own beyond
the pace at which it looks."""

import asyncio
import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.analyze.anomaly.baseline import AWAY
from autonomyd.analyze.anomaly.detector import SURPRISE, AnomalyDetector
from autonomyd.analyze.anomaly.evidence import STRONG, Contributor, strength
from autonomyd.analyze.anomaly.novelty import FIRST
from autonomyd.analyze.issuebook import IssueBook
from autonomyd.engine.insight.baselines import Baselines
from autonomyd.engine.insight.behaviour import Behaviour
from autonomyd.engine.insight.room import UNUSED_S, Room
from autonomyd.engine.insight.shifts import LEAST
from autonomyd.engine.records import Records
from autonomyd.model.subject import Subject
from autonomyd.model.timeline import Surprise
from autonomyd.model.words import HOUR_S
from autonomyd.monitor.ring import RingReader

log = structlog.get_logger(__name__)

PACE_S = 10.0
"""A series is judged this often at most; what comes faster is judged by its mean."""
EARLY_S = 1.0
"""Intervals are not exact: a sample that comes this much too early is one of its own all the same."""
MOST_SERIES = 1000
KEPT = 500
LEARNING_S = 1800.0
"""However fast its samples come, a series is known no sooner."""
SAVE_EVERY_S = HOUR_S
RECALIBRATED = "baseline_recalibrated"


class _Series:
    """One series: its detector, and the samples since it looked last."""

    __slots__ = ("count", "detector", "due", "first_at", "least", "seen_at", "total", "unit")

    def __init__(self, detector: AnomalyDetector, unit: str, at: float) -> None:
        self.detector = detector
        self.unit = unit
        self.least = LEAST.get(unit, 0.0)
        self.first_at = at
        self.seen_at = at
        self.due = -math.inf
        self.total = 0.0
        self.count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """A series that is not known yet: it has `samples` of the `least` that it needs, and `left_s` seconds to go."""

    subject: Subject
    metric: str
    samples: int
    least: int
    left_s: float


class SurpriseWatch:
    """`newest` holds the surprises of late, oldest first. `tick` opens and ends the notices; `restore` and `close`
    bring back and keep what was learned. `known` counts series, `refused` samples that can't be judged
    (infinite, or at a time that the clock had before), `crowded_out` those of series beyond the most."""

    def __init__(self, *, clock: Clock, records: Records, metrics: RingReader, book: IssueBook) -> None:
        self._clock = clock
        self._records = records
        self._metrics = metrics
        self._baselines = Baselines(clock=clock, records=records)
        self._behaviour = Behaviour(book)
        self._subjects: dict[Subject, dict[str, _Series]] = {}
        self._room = Room()
        self._saved_at = clock.monotonic()
        self.known = 0
        self.newest: deque[Surprise] = deque(maxlen=KEPT)
        self.refused = 0
        self.crowded_out = 0
        self._unsubscribe = metrics.subscribe(self.hear)

    # --- life --------------------------------------------------------------------------------------------------------

    async def restore(self) -> None:
        """Take back what was learned by earlier runs."""
        await self._baselines.restore()

    async def tick(self) -> None:
        """Open the notices that are due, end those that are over, and once an hour keep what was learned."""
        now = self._clock.monotonic()
        self._behaviour.judge(self._clock.wall(), silent=lambda subject, metric: self._silent(subject, metric, now))
        if now - self._saved_at >= SAVE_EVERY_S:
            await self._save()

    async def close(self) -> None:
        """Listen no longer, and keep what was learned."""
        self._unsubscribe()
        await self._save()

    # --- what is asked -----------------------------------------------------------------------------------------------

    def since(self, at: float, *, subject: Subject | None = None) -> tuple[Surprise, ...]:
        """The surprises from `at` (epoch seconds) on, oldest first."""
        return tuple(each for each in self.newest if each.at >= at and subject in (None, each.subject))

    def contributors(self, subject: Subject, since: float) -> tuple[Surprise, ...]:
        """The strongest surprise of each metric of `subject` from `since` (epoch seconds) on, strongest first."""
        best: dict[str, Surprise] = {}
        for each in self.since(since, subject=subject):
            if each.metric not in best or each.score > best[each.metric].score:
                best[each.metric] = each
        return tuple(sorted(best.values(), key=lambda each: (-each.score, each.at)))

    def learning(self) -> tuple[Learning, ...]:
        """The series that are not known yet."""
        now = self._clock.monotonic()
        return tuple(
            Learning(
                subject=subject,
                metric=metric,
                samples=min(FIRST, series.detector.seen),
                least=FIRST,
                left_s=max(0.0, LEARNING_S - (now - series.first_at)),
            )
            for subject, metric, series in self._all()
            if series.detector.learning or now - series.first_at < LEARNING_S
        )

    # --- the samples: this is called for every row of every probe ----------------------------------------------------

    def hear(self, subject: Subject, at: float, values: Mapping[str, float]) -> None:
        """A new row of the ring; `at` is monotonic seconds."""
        known = self._subjects.get(subject)
        for metric, value in values.items():
            series = None if known is None else known.get(metric)
            if series is None:
                series = self._begin(subject, metric, at)
                if series is None:
                    continue
                known = self._subjects[subject]
            if not math.isfinite(value):
                self.refused += value == value  # what is not known is no fault of the sample
                continue
            series.total += value
            series.count += 1
            if at >= series.due:
                mean = series.total / series.count
                series.total, series.count = 0.0, 0
                series.due = at + PACE_S - EARLY_S
                series.seen_at = at
                self._judge(subject, metric, series, mean)

    def _judge(self, subject: Subject, metric: str, series: _Series, value: float) -> None:
        detector, at = series.detector, series.seen_at
        wall = at + self._clock.wall() - self._clock.monotonic()
        refused, moved, spread = detector.refused, detector.moved, detector.spread
        score = detector.observe(wall, value)
        if detector.refused != refused:
            self.refused += 1
            return
        if detector.learning or at - series.first_at < LEARNING_S:
            return
        if detector.moved != moved:
            self._recalibrated(subject, metric, series.unit, value)
        expected = detector.expected
        if score >= SURPRISE and detector.distance >= series.least:
            self.newest.append(
                Surprise(
                    at=wall,
                    subject=subject,
                    metric=metric,
                    unit=series.unit,
                    value=value,
                    expected=expected,
                    score=score,
                )
            )
        # also while the series rests: what begins as a surprise may get far stronger
        decades = strength(detector.rarity, detector.distance, detector.farthest, series.least)
        if decades >= STRONG:
            found = Contributor(
                metric=metric,
                unit=series.unit,
                since=wall,
                seen=wall,
                looked=wall,
                value=value,
                expected=expected,
                spread=spread,
                strength=decades,
            )
            self._behaviour.surprised(subject, found)
        away = abs(value - expected) > max(AWAY * spread, series.least)
        self._behaviour.looked(subject, metric, wall, away)

    def _recalibrated(self, subject: Subject, metric: str, unit: str, value: float) -> None:
        words = f"{metric} has stayed near {value:.4g}{f' {unit}' if unit else ''}: from now on that is what is usual"
        self._records.event(RECALIBRATED, subject, words)

    # --- the series --------------------------------------------------------------------------------------------------

    def _all(self) -> Iterator[tuple[Subject, str, _Series]]:
        for subject, known in self._subjects.items():
            for metric, series in known.items():
                yield subject, metric, series

    def _begin(self, subject: Subject, metric: str, at: float) -> _Series | None:
        if self.known >= MOST_SERIES and not self._make_room(at):
            if not self.crowded_out:
                log.warning("series_not_judged", subject=subject, metric=metric, most=MOST_SERIES)
            self.crowded_out += 1
            return None
        view = self._metrics.view(subject, metric)
        unit = "" if view is None else view.unit
        kept = self._baselines.claim(subject, metric)
        series = _Series(AnomalyDetector(), unit, at) if kept is None else _Series(kept, unit, -math.inf)
        self._subjects.setdefault(subject, {})[metric] = series
        self.known += 1
        return series

    def _make_room(self, at: float) -> bool:
        """Drop the series that was unused for longest."""
        leaver = self._room.leaver(at, ((series.seen_at, (subject, metric)) for subject, metric, series in self._all()))
        if leaver is None:
            return False
        subject, metric = leaver
        del self._subjects[subject][metric]
        if not self._subjects[subject]:
            del self._subjects[subject]
            self._baselines.forget(subject)
        self.known -= 1
        return True

    def _silent(self, subject: Subject, metric: str, now: float) -> bool:
        series = self._subjects.get(subject, {}).get(metric)
        return series is None or now - series.seen_at > UNUSED_S

    async def _save(self) -> None:
        self._saved_at = self._clock.monotonic()
        for subject in tuple(self._subjects):
            known = self._subjects.get(subject, {})
            self._baselines.save(subject, ((metric, series.detector) for metric, series in known.items()))
            await asyncio.sleep(0)  # a thousand detectors take a tenth of a second: the checks come between
