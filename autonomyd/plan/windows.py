"""Recurring spans of time by the wall clock of their zone."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from autonomyd.model.window import MaintenanceWindow


def open_window(windows: Iterable[MaintenanceWindow], wall_now: float) -> tuple[MaintenanceWindow, float] | None:
    """The window that is open at `wall_now` (epoch seconds) and when it ends; of several the one that ends last."""
    found = [(window, end) for window in windows if (end := _end(window, wall_now)) is not None]
    return max(found, key=lambda pair: pair[1], default=None)


def next_begin(windows: Iterable[MaintenanceWindow], wall_now: float) -> float | None:
    """When the next of `windows` opens after `wall_now` (epoch seconds), by the clock of its zone; None without any."""
    return min((begin for window in windows for begin in _begins(window, wall_now)), default=None)


def _begins(window: MaintenanceWindow, wall_now: float) -> Iterator[float]:
    local = datetime.fromtimestamp(wall_now, UTC).astimezone(window.zone)
    for ahead in range(8):  # a day that the window has comes within a week
        day = local.date() + timedelta(days=ahead)
        begin = _at(window, day, window.begin_s, local.fold)
        if day.weekday() in window.days and begin > wall_now:
            yield begin


def _end(window: MaintenanceWindow, wall_now: float) -> float | None:
    """When the open window ends, None while it is shut. The hour that a change of the clock repeats counts as one."""
    local = datetime.fromtimestamp(wall_now, UTC).astimezone(window.zone)
    second = local.hour * 3600 + local.minute * 60 + local.second
    overnight = window.end_s <= window.begin_s
    yesterday = local.date() - timedelta(days=1)
    if local.weekday() in window.days and second >= window.begin_s and (overnight or second < window.end_s):
        day = local.date()
    elif overnight and yesterday.weekday() in window.days and second < window.end_s:
        day = yesterday
    else:
        return None
    end = _at(window, day + timedelta(days=overnight), window.end_s, local.fold)
    return max(end, wall_now)


def _at(window: MaintenanceWindow, day: date, second: int, fold: int) -> float:
    of_day = time(second // 3600 % 24, second // 60 % 60, second % 60, fold=fold)
    naive = datetime.combine(day + timedelta(days=second // 86400), of_day)
    # without a zone of its own a moment is one of the machine's, whose rules the naive one follows
    return (naive if window.zone is None else naive.replace(tzinfo=window.zone)).timestamp()
