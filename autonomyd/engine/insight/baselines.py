"""What was learned of series, kept over a restart: a row of the store a subject, bounded in number and in age."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.analyze.anomaly.detector import AnomalyDetector, load
from autonomyd.engine.records import Records
from autonomyd.model.subject import Subject
from autonomyd.model.words import DAY_S
from autonomyd.monitor.ring import series_name

log = structlog.get_logger(__name__)

KEY = "surprises:"
FORGOTTEN_S = 30 * DAY_S
"""What no series has claimed for this long is let go."""
SAVED_FROM = 360
"""Samples from which a baseline is worth keeping: an hour at the usual pace."""
MOST_KEPT = 1000


class Baselines:
    """`restore` once the store is open; `claim` gives each baseline away once; `save` keeps those of now, and with them
    what is not claimed yet."""

    def __init__(self, *, clock: Clock, records: Records) -> None:
        self._clock = clock
        self._records = records
        self._waiting: dict[Subject, dict[str, Any]] = {}

    async def restore(self) -> None:
        """Read what earlier runs kept; let go of what is too old or too much."""
        found: Mapping[str, Any] = await self._records.read(lambda: self._records.states.items(KEY), {})
        self._waiting.clear()
        from_on = self._clock.wall() - FORGOTTEN_S
        kept = 0
        for key, states in sorted(found.items(), key=lambda item: -_newest(item[1])):
            each_of = states.items() if isinstance(states, dict) else ()
            fresh = {metric: each for metric, each in each_of if _last(each) >= from_on}
            if fresh and kept < MOST_KEPT:
                self._waiting[Subject(key.removeprefix(KEY))] = fresh
                kept += len(fresh)
            else:
                self._records.forget(key)

    def claim(self, subject: Subject, metric: str) -> AnomalyDetector | None:
        """The detector of a series as it was kept; None when none was, or it can't be read."""
        waiting = self._waiting.get(subject)
        state = None if waiting is None else waiting.pop(metric, None)
        if state is None:
            return None
        try:
            return load(state)
        except ValueError as error:
            log.warning("baseline_unreadable", series=series_name(subject, metric), reason=str(error))
            return None

    def save(self, subject: Subject, detectors: Iterable[tuple[str, AnomalyDetector]]) -> None:
        """Keep the detectors of one subject, by metric."""
        states = dict(self._waiting.get(subject, {}))
        states.update((metric, each.dump()) for metric, each in detectors if each.seen >= SAVED_FROM)
        if states:
            self._records.remember(KEY + subject, states)

    def forget(self, subject: Subject) -> None:
        """Let go of a subject that is no longer judged."""
        self._waiting.pop(subject, None)
        self._records.forget(KEY + subject)


def _newest(states: Any) -> float:
    return max(map(_last, states.values()), default=-math.inf) if isinstance(states, dict) else -math.inf


def _last(state: Any) -> float:
    last = state.get("last") if isinstance(state, dict) else None
    return float(last) if isinstance(last, int | float) else -math.inf
