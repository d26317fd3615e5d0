"""Maintenance windows: `[[healing.windows]]`, and `maintenance` of a service."""

import re
from datetime import tzinfo
from typing import Literal

from pydantic import Field, field_validator

from autonomyd.model.window import MaintenanceWindow
from autonomyd.settings.base import Table

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_OF_DAY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


class WindowSettings(Table):
    """A recurring span of time in which somebody works on it: nothing is healed, watching goes on."""

    days: tuple[Day, ...] = Field(default=DAYS, min_length=1)
    """Days on which it begins."""
    begin: str
    """Time of day, HH:MM."""
    end: str
    """Time of day, HH:MM; one that is not after begin is on the next day."""
    zone: str | None = None
    """Time zone, as in Europe/Berlin; default: the machine's own."""
    reason: str = ""
    """Why; shown wherever nothing is done because of it."""

    @field_validator("begin", "end")
    @classmethod
    def _of_day(cls, value: str) -> str:
        if not _OF_DAY.fullmatch(value):
            raise ValueError("a time of day is written HH:MM, from 00:00 to 24:00")
        return value

    @field_validator("zone")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None:
            _zone(value)
        return value

    def window(self) -> MaintenanceWindow:
        """As the gates judge it."""
        return MaintenanceWindow(
            begin_s=_seconds(self.begin),
            end_s=_seconds(self.end),
            days=frozenset(DAYS.index(day) for day in self.days),
            zone=None if self.zone is None else _zone(self.zone),
            reason=self.reason,
        )


class HealingWindowSettings(WindowSettings):
    """One for the whole machine, or for some services."""

    services: tuple[str, ...] = ()
    """Services that it is about; default: everything."""


def _seconds(of_day: str) -> int:
    hours, minutes = of_day.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def _zone(name: str) -> tzinfo:
    """Raises ValueError for one that this machine does not know."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # only where a zone is named

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"this machine knows no time zone {name!r}: write it as in Europe/Berlin") from error
