"""`type = "sqlite"`: whether an SQLite file can be read and is whole, its size, its log, what it holds unused."""

from typing import Annotated, ClassVar

from pydantic import Field

from autonomyd.aio.clock import Clock
from autonomyd.aio.offload import in_thread
from autonomyd.host.databases.failure import DatabaseFailure
from autonomyd.host.databases.sqlite import SqliteFacts, sqlite_damage, sqlite_facts
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Bound, Look, failed, ok, unknown
from autonomyd.settings.base import Percent, Seconds
from autonomyd.settings.service import CheckSettings

MB = 1_000_000
LEAST_FREE_MB = 1.0
"""Less unused space than this is never a bloat."""


class SqliteOptions(CheckSettings):
    """An SQLite file: it must be readable and whole; the bounds below are issues of their own."""

    file: str = Field(pattern=r"^/")
    """Absolute path."""
    integrity: bool = True
    """Look through the whole file for damage (`pragma quick_check`)."""
    integrity_every_s: Seconds = 3600.0
    """How often that is done; it reads the whole file, within timeout_s."""
    max_mb: Annotated[float, Field(gt=0)] | None = None
    """Largest size of the file, MB."""
    max_wal_mb: Annotated[float, Field(gt=0)] = 256.0
    """Largest size of its write-ahead log, MB; above it the log is written back into the file."""
    max_free_percent: Percent = 50.0
    """Most of the file that may be unused."""
    vacuum: bool = False
    """Consent: above max_free_percent the file may be rebuilt, which locks writers out meanwhile."""


class SqliteProbe:
    kind: ClassVar[str] = "sqlite"
    Options: ClassVar[type[CheckSettings]] = SqliteOptions
    asks: ClassVar[bool] = False
    cheap: ClassVar[bool] = True
    about_service: ClassVar[bool] = False
    metrics: ClassVar[tuple[MetricSpec, ...]] = (
        MetricSpec(name="size_mb", unit="MB"),
        MetricSpec(name="wal_mb", unit="MB"),
        MetricSpec(name="free_percent", unit="%"),
    )
    bounds: ClassVar[tuple[Bound, ...]] = (
        Bound(value="size_mb", option="max_mb", unit="MB", words="the file of {check} of {service} has {value:.0f} MB"),
        Bound(
            value="wal_mb",
            option="max_wal_mb",
            unit="MB",
            words="the file of {check} of {service} has a write-ahead log of {value:.0f} MB",
        ),
        Bound(
            value="free_percent",
            option="max_free_percent",
            unit="%",
            words="of the file of {check} of {service} {value:.0f} % are unused",
        ),
    )

    def __init__(self, options: SqliteOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._checked_at: float | None = None
        self._damage = ""

    async def look(self) -> Look:
        options = self._options
        # nobody waits for a lock longer than half of the deadline: the other half is for the reading
        busy_s = options.timeout_s / 2
        try:
            facts = await in_thread(lambda: sqlite_facts(options.file, busy_s=busy_s))
            if options.integrity and self._due():
                await self._check(busy_s)
        except DatabaseFailure as failure:
            words = f"{options.file}: {failure.message}"
            return unknown(words) if failure.ours or failure.answered else failed(words)
        values = _values(facts)
        if self._damage:
            return failed(f"{options.file} is damaged: {self._damage}; restore it from a copy", values)
        words = f"{values['size_mb']:.1f} MB, log {values['wal_mb']:.1f} MB, {values['free_percent']:.0f} % unused"
        return ok(values, words)

    def _due(self) -> bool:
        # a damage that was found is looked for at every look, so that a restored file is seen at once
        at = self._checked_at
        return bool(self._damage) or at is None or self._clock.monotonic() - at >= self._options.integrity_every_s

    async def _check(self, busy_s: float) -> None:
        given_up: list[bool] = []
        file = self._options.file
        self._checked_at = self._clock.monotonic()  # also when it takes too long: not at every look anew
        try:
            self._damage = await in_thread(lambda: sqlite_damage(file, busy_s=busy_s, given_up=given_up))
        finally:
            given_up.append(True)


def _values(facts: SqliteFacts) -> dict[str, float]:
    free_mb = facts.free_bytes / MB
    return {
        "size_mb": facts.bytes / MB,
        "wal_mb": facts.wal_bytes / MB,
        "free_percent": 100.0 * facts.free_bytes / facts.bytes if facts.bytes and free_mb >= LEAST_FREE_MB else 0.0,
    }
