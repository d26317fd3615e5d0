"""`type = "file"`: age, size and checksum of a file."""

from typing import Annotated, ClassVar

from pydantic import Field

from autonomyd.aio.clock import Clock
from autonomyd.aio.offload import in_thread
from autonomyd.host.files import FileFacts, file_facts, file_sha256
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Look, failed, ok, unknown
from autonomyd.settings.service import CheckSettings


class FileOptions(CheckSettings):
    """A file that must exist; each bound that is set must hold."""

    file: str = Field(pattern=r"^/")
    """Absolute path."""
    max_age_s: Annotated[float, Field(gt=0)] | None = None
    """Most seconds since it was last written."""
    min_bytes: Annotated[int, Field(ge=0)] | None = None
    """Least size."""
    max_bytes: Annotated[int, Field(ge=0)] | None = None
    """Most size."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """What its content must hash to (read in full at every check)."""


class FileProbe:
    kind: ClassVar[str] = "file"
    Options: ClassVar[type[CheckSettings]] = FileOptions
    asks: ClassVar[bool] = False
    about_service: ClassVar[bool] = False
    metrics: ClassVar[tuple[MetricSpec, ...]] = (
        MetricSpec(name="age_s", unit="s"),
        MetricSpec(name="size_bytes", unit="B"),
    )

    def __init__(self, options: FileOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock

    async def look(self) -> Look:
        options = self._options
        # in a thread: a file can lie on a network mount whose server is away
        facts, digest = await in_thread(self._read)
        if facts is None:
            return failed(f"{options.file} does not exist")
        if facts.unknown:
            return unknown(facts.unknown)
        values = {"age_s": facts.age_s, "size_bytes": float(facts.size)}
        wrong = self._wrong(facts, digest)
        return failed(wrong, values) if wrong else ok(values, f"{facts.age_s:.0f} s old, {facts.size} bytes")

    def _read(self) -> tuple[FileFacts | None, str | None]:
        path = self._options.file
        facts = file_facts(path, wall=self._clock.wall())
        return facts, file_sha256(path) if facts is not None and self._options.sha256 is not None else None

    def _wrong(self, facts: FileFacts, digest: str | None) -> str:
        options = self._options
        if options.max_age_s is not None and facts.age_s > options.max_age_s:
            return f"last written {facts.age_s:.0f} s ago, at most {options.max_age_s:g} s are allowed"
        if options.min_bytes is not None and facts.size < options.min_bytes:
            return f"{facts.size} bytes, at least {options.min_bytes} are expected"
        if options.max_bytes is not None and facts.size > options.max_bytes:
            return f"{facts.size} bytes, at most {options.max_bytes} are allowed"
        if options.sha256 is not None and digest != options.sha256:
            return f"its content is not what it should be (SHA-256 {digest or 'not to be had'})"
        return ""
