"""What is forgotten, and when: the writes that remove what is over and old. Open issues and unfinished fixes stay."""

from dataclasses import dataclass

from autonomyd.knowledge.write import Write

DAY_S = 86400.0
KEPT_OUTCOMES = 20_000  # what was learned outlives the fixes; the sums of more would hardly differ
KEPT_WORDS = 2_000  # decided approvals, scored shadow cases
OVER_CAP_RESOLVED = 200  # issues dropped in one round while the file is above its cap


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """`days` for what is over (resolved issues, finished fixes, closed goals and candidates); `events` by count;
    `max_bytes` of data in the database, above which the oldest go early."""

    days: float = 90.0
    events: int = 20_000
    max_bytes: int = 64 * 1024 * 1024


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
        Write(query="keep_newest_events", params={"count": retention.events}),
        Write(query="keep_newest_outcomes", params={"count": KEPT_OUTCOMES}),
        Write(query="keep_newest_approvals", params={"count": KEPT_WORDS}),
        Write(query="keep_newest_shadow", params={"count": KEPT_WORDS}),
    )


def squeezed(retention: Retention, *, wall: float, round_: int) -> tuple[Write, ...]:
    """The writes that forget more, while the database is above its cap: each round (from 1) halves events and days."""
    before = wall - retention.days * DAY_S / 2**round_
    return (
        Write(query="keep_newest_events", params={"count": retention.events >> round_}),
        Write(query="drop_oldest_resolved_issues", params={"count": OVER_CAP_RESOLVED * round_}),
        Write(query="drop_finished_fixes", params={"before": before}),
    )
