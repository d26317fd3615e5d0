"""Forecasts as people say them: "disk /var is full in 9 days (6 to 14): it grows 2.1 GB a day"."""

from typing import Final

from autonomyd.analyze.forecast.series import Outlook
from autonomyd.engine.insight.capacities import Capacity
from autonomyd.model.forecast import Forecast
from autonomyd.model.words import DAY_S, HOUR_S, duration
from autonomyd.monitor.ring import RingReader

MB_PER_GB: Final = 1000.0
MINUTE_S: Final = 60.0
WHOLE: Final = {"disk.used_percent": "disk.free_mb", "mount_used_percent": "mount_free_mb"}
"""What is full by percent, and where the free megabytes are told."""
USED: Final = {"folder.used_percent": "folder.used_mb", "memory.percent": "memory.used_mb"}
"""The same for the megabytes in use."""


def sentence(capacity: Capacity, seen: Outlook, rise: str) -> str:
    """What comes, when, between when, and how fast it goes there."""
    if seen.left_s <= 0.0:
        return f"{capacity.words} now: it grows {rise}"
    return f"{capacity.words} in {duration(seen.left_s)} ({between(seen)}): it grows {rise}"


def between(seen: Outlook) -> str:
    """The interval: "6 to 14" in the unit that was just said, else with its units."""
    soonest = duration(seen.soonest_s)
    if seen.latest_s is None:
        return f"not before {soonest}, perhaps never"
    latest = duration(seen.latest_s)
    units = {words.partition(" ")[2] for words in (soonest, latest, duration(seen.left_s))}
    if len(units) == 1:
        return f"{soonest.partition(' ')[0]} to {latest.partition(' ')[0]}"
    return f"{soonest} to {latest}"


def over(found: Forecast | None) -> str:
    """Why it is told no more."""
    return "nothing leads there any more" if found is None else f"it is further away now: {duration(found.soonest_s)}"


def growth(metrics: RingReader, capacity: Capacity, value: float, seen: Outlook) -> str:
    """How much it grows in a span that suits the time left; in bytes where the percentage can be told in bytes."""
    unit, per_s = capacity.unit, seen.per_s
    mb = _mb_a_percent(metrics, capacity, value)
    if unit == "%" and mb is not None:
        unit, per_s = "MB", per_s * mb
    span_s, span = _span(seen.left_s)
    amount = per_s * span_s
    if unit == "MB" and amount >= MB_PER_GB:
        unit, amount = "GB", amount / MB_PER_GB
    elif unit == "MB" and amount < 1.0:
        unit, amount = "KB", amount * 1000.0
    return (
        f"{amount:.2g} {unit}".rstrip() + f" {span}" if amount < 100.0 else f"{amount:.0f} {unit}".rstrip() + f" {span}"
    )


def _span(left_s: float) -> tuple[float, str]:
    if left_s < 2 * HOUR_S:
        return MINUTE_S, "a minute"
    return (HOUR_S, "an hour") if left_s < 2 * DAY_S else (DAY_S, "a day")


def _mb_a_percent(metrics: RingReader, capacity: Capacity, percent: float) -> float | None:
    free = metrics.last(capacity.subject, WHOLE.get(capacity.metric, ""))
    if free is not None and percent < 100.0:
        return free / (100.0 - percent)
    used = metrics.last(capacity.subject, USED.get(capacity.metric, ""))
    return used / percent if used is not None and percent > 0.0 else None
