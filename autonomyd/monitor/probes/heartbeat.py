"""`type = "heartbeat"`: a file that the service touches while it works."""

from typing import Annotated, ClassVar

from pydantic import Field

from autonomyd.aio.clock import Clock
from autonomyd.aio.offload import in_thread
from autonomyd.host.files import FileFacts, file_facts
from autonomyd.host.mounts import surely_local
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Look, QuickProbe, failed, ok, unknown
from autonomyd.settings.service import CheckSettings


class HeartbeatOptions(CheckSettings):
    """A heartbeat file; missing or older than max_age_s is a failure."""

    file: str = Field(pattern=r"^/")
    """Absolute path of the file that the service touches."""
    max_age_s: Annotated[float, Field(gt=0)] = 30.0
    """Most seconds since it was last touched."""


class HeartbeatProbe:
    kind: ClassVar[str] = "heartbeat"
    Options: ClassVar[type[CheckSettings]] = HeartbeatOptions
    asks: ClassVar[bool] = True
    cheap: ClassVar[bool] = True
    timed: ClassVar[bool] = True
    about_service: ClassVar[bool] = True
    metrics: ClassVar[tuple[MetricSpec, ...]] = (MetricSpec(name="heartbeat_age_s", unit="s"),)

    def __init__(self, options: HeartbeatOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._local = surely_local(options.file)

    def quick(self) -> QuickProbe | None:
        # a stat on a local file can't hang; on a network mount it can, and costs a thread
        return self if self._local else None

    def look_now(self) -> Look:
        return self._judged(file_facts(self._options.file, wall=self._clock.wall()))

    async def look(self) -> Look:
        path, wall = self._options.file, self._clock.wall()
        return self._judged(await in_thread(lambda: file_facts(path, wall=wall)))

    def _judged(self, facts: FileFacts | None) -> Look:
        path = self._options.file
        if facts is None:
            return failed(f"{path} does not exist")
        if facts.unknown:
            return unknown(facts.unknown)
        values = {"heartbeat_age_s": facts.age_s}
        if facts.age_s > self._options.max_age_s:
            return failed(f"last heartbeat {facts.age_s:.0f} s ago, at most {self._options.max_age_s:g} s", values)
        return ok(values, f"{facts.age_s:.0f} s ago")
