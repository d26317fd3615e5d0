"""`type = "directory"`: how much is in a folder, and how fast it grows."""

from collections import deque
from typing import Annotated, ClassVar

from pydantic import Field

from autonomyd.aio.clock import Clock
from autonomyd.aio.offload import in_thread
from autonomyd.host.files import folder_size
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Look, failed, ok, unknown
from autonomyd.settings.service import CheckSettings

MB = 1_000_000
HOUR_S = 3600.0
KEEP_EVERY_S = 60.0
SPAN_S = 300.0
"""Growth is told from looks that are at least so far apart."""

Bound = Annotated[float, Field(gt=0)]


class DirectoryOptions(CheckSettings):
    """A folder with all below it; each bound that is set must hold."""

    path: str = Field(pattern=r"^/")
    """Absolute path; links are not followed, other filesystems not entered."""
    max_files: Annotated[int, Field(ge=0)] | None = None
    """Most files."""
    max_mb: Bound | None = None
    """Most room on the disk, MB."""
    max_files_per_hour: Bound | None = None
    """Most growth within the last hour, files an hour."""
    max_mb_per_hour: Bound | None = None
    """Most growth within the last hour, MB an hour."""
    max_entries: Annotated[int, Field(ge=100, le=5_000_000)] = 200_000
    """So many entries are looked at, at most; what is beyond makes the answer unknown, unless a bound is broken."""


class DirectoryProbe:
    kind: ClassVar[str] = "directory"
    Options: ClassVar[type[CheckSettings]] = DirectoryOptions
    asks: ClassVar[bool] = False
    about_service: ClassVar[bool] = False
    metrics: ClassVar[tuple[MetricSpec, ...]] = (
        MetricSpec(name="files"),
        MetricSpec(name="directory_mb", unit="MB"),
        MetricSpec(name="files_per_hour", unit="1/h"),
        MetricSpec(name="mb_per_hour", unit="MB/h"),
    )

    def __init__(self, options: DirectoryOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._past: deque[tuple[float, float, float]] = deque(maxlen=int(HOUR_S / KEEP_EVERY_S))

    async def look(self) -> Look:
        options = self._options
        size = await in_thread(lambda: folder_size(options.path, entry_limit=options.max_entries))
        values = {"files": float(size.files), "directory_mb": size.bytes / MB}
        if not size.incomplete:
            values |= self._growth(values["files"], values["directory_mb"])
        wrong = self._wrong(values)
        if wrong:
            return failed(wrong, values)
        if size.incomplete:
            return unknown(f"{options.path} could not be measured whole: {size.incomplete}")
        return ok(values, f"{size.files} files, {values['directory_mb']:.1f} MB")

    def _wrong(self, values: dict[str, float]) -> str:
        options = self._options
        bounds = (
            ("files", options.max_files, "files"),
            ("directory_mb", options.max_mb, "MB"),
            ("files_per_hour", options.max_files_per_hour, "files an hour more"),
            ("mb_per_hour", options.max_mb_per_hour, "MB an hour more"),
        )
        for name, bound, words in bounds:
            if bound is not None and values.get(name, 0.0) > bound:
                return f"{values[name]:.6g} {words} in {options.path}, at most {bound:g} are allowed"
        return ""

    def _growth(self, files: float, mb: float) -> dict[str, float]:
        now = self._clock.monotonic()
        while self._past and now - self._past[0][0] > HOUR_S:
            self._past.popleft()
        if not self._past or now - self._past[-1][0] >= KEEP_EVERY_S:
            self._past.append((now, files, mb))
        began, files_then, mb_then = self._past[0]
        if now - began < SPAN_S:
            return {}
        hours = (now - began) / HOUR_S
        return {"files_per_hour": (files - files_then) / hours, "mb_per_hour": (mb - mb_then) / hours}
