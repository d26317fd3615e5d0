"""What is forgotten, and when: the writes that remove what is over and old. Open issues and unfinished fixes stay."""

import math
from dataclasses import dataclass

from autonomyd.knowledge.write import Write
from autonomyd.model.rollup import DAY_S, HOUR_S, MINUTE_S
from autonomyd.settings.retention import RetentionSettings

MB = 1024 * 1024

KEPT_OUTCOMES = 20_000  # what was learned outlives the fixes; the sums of more would hardly differ
KEPT_WORDS = 2_000  # decided approvals, scored shadow cases
OVER_CAP_RESOLVED = 200  # issues dropped in one round while the file is above its cap
SERIES_SPANS = 24  # spans of recorded series dropped at a time: hours of minutes, or days of hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """`days` for what is over (resolved issues, finished fixes, closed goals and candidates); `events` by count;
    `max_bytes` of data in the database, above which the oldest go early. Recorded series have times and a size of their
    own: `minutes_days` and `hours_days` for their points, `series_bytes` in all."""

    days: float = 90.0
    events: int = 20_000
    max_bytes: int = 64 * 1024 * 1024
    minutes_days: float = 14.0
    hours_days: float = 365.0
    series_bytes: int = 32 * 1024 * 1024


def retention_of(settings: RetentionSettings) -> Retention:
    """What the configuration says. Recorded series never take more than half of the database's own size."""
    return Retention(
        days=settings.days,
        max_bytes=int(settings.max_mb * MB),
        minutes_days=settings.minutes_days,
        hours_days=settings.hours_days,
        series_bytes=int(min(settings.series_mb, settings.max_mb / 2) * MB),
    )


def expired(retention: Retention, *, wall: float) -> tuple[Write, ...]:
    """The writes that forget what is too old at `wall` (epoch seconds)."""
    before = wall - retention.days * DAY_S
    return (
        Write(query="drop_resolved_issues", params={"before": before}),
        Write(query="drop_finished_fixes", params={"before": before}),
        Write(query="drop_closed_goals", params={"before": before}),
        Write(query="drop_closed_candidates", params={"before": before}),
        Write(query="drop_closed_alerts", params={"before": before}),
        Write(query="drop_ended_messages", params={"before": before}),
        Write(query="drop_judged_predictions", params={"before": before}),
        Write(query="keep_newest_events", params={"count": retention.events}),
        Write(query="keep_newest_outcomes", params={"count": KEPT_OUTCOMES}),
        Write(query="keep_newest_approvals", params={"count": KEPT_WORDS}),
        Write(query="keep_newest_shadow", params={"count": KEPT_WORDS}),
        *_old_series(retention, wall),
        *_oldest_series(retention.series_bytes, spans=SERIES_SPANS),
    )


def squeezed(retention: Retention, *, wall: float, round_: int) -> tuple[Write, ...]:
    """The writes that forget more, while the database is above its cap: each round (from 1) halves events and days."""
    before = wall - retention.days * DAY_S / 2**round_
    return (
        # a day of minutes in the first round, then two, then four: they are most of what there is. Reversed: the round
        # that takes the last minutes takes no hours, because with the minutes it may be enough
        *reversed(_oldest_series(0, spans=SERIES_SPANS << (round_ - 1))),
        Write(query="keep_newest_events", params={"count": retention.events >> round_}),
        Write(query="drop_oldest_resolved_issues", params={"count": OVER_CAP_RESOLVED * round_}),
        Write(query="drop_finished_fixes", params={"before": before}),
    )


def _old_series(retention: Retention, wall: float) -> tuple[Write, ...]:
    old = []
    for step, span, days in ((MINUTE_S, HOUR_S, retention.minutes_days), (HOUR_S, DAY_S, retention.hours_days)):
        kept = math.ceil(days * DAY_S / span)
        old.append(Write(query="drop_old_rollups", params={"step": step, "before": wall - days * DAY_S, "kept": kept}))
    return (*old, Write(query="drop_old_series", params={}))


def _oldest_series(most: int, *, spans: int) -> tuple[Write, ...]:
    """Drop the oldest `spans` while the recorded series take more than `most` bytes: minutes, and hours when no
    minutes are left."""
    return (
        Write(query="drop_minutes_above", params={"most": most, "count": spans}),
        Write(query="drop_hours_above", params={"most": most, "count": spans}),
    )
