"""When a message may go: quiet hours, and how many a minute. A storm of messages becomes one."""

import time
from collections.abc import Sequence

MINUTE_S = 60.0
DAY_S = 86400.0


def batch(waiting: int, sent_at: Sequence[float], *, now: float, per_minute: int) -> tuple[int, float]:
    """(how many of `waiting` messages go as the next one, 0.0), or (0, seconds until one may go). `sent_at` holds when
    the last ones went, on the clock of `now`. The last free place within a minute takes all that wait."""
    recent = [at for at in sent_at if 0 <= now - at < MINUTE_S]
    room = per_minute - len(recent)
    if not waiting:
        return 0, 0.0
    if room <= 0:
        return 0, MINUTE_S - (now - min(recent))
    return (waiting if room == 1 else 1), 0.0


def quiet_left_s(hours: str, now: float) -> float:
    """Seconds until the quiet hours ("22:00-07:00", local time) are over; 0 outside of them, and for ""."""
    if not hours:
        return 0.0
    begin_s, end_s = (_seconds(text) for text in hours.split("-"))
    local = time.localtime(now)
    at_s = local.tm_hour * 3600 + local.tm_min * 60 + local.tm_sec
    inside = begin_s <= at_s < end_s if begin_s <= end_s else at_s >= begin_s or at_s < end_s
    return (end_s - at_s) % DAY_S if inside else 0.0


def next_time_of_day(clock: str, after: float) -> float:
    """The first moment after `after` (epoch seconds) at which local clocks show `clock` ("07:00")."""
    wanted_s = _seconds(clock)
    local = time.localtime(after)
    for days in range(3):
        found = time.mktime(
            (local.tm_year, local.tm_mon, local.tm_mday + days, wanted_s // 3600, wanted_s % 3600 // 60, 0, 0, 0, -1)
        )
        if found > after:
            return found
    return after + DAY_S  # a place that skipped a day


def _seconds(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60
