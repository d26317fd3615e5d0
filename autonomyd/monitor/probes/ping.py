"""`type = "ping"`: whether a machine answers ICMP, and how fast."""

from typing import Annotated, ClassVar

from pydantic import Field

from autonomyd.aio.clock import Clock
from autonomyd.host.failure import NetworkFailure
from autonomyd.host.tcp import resolve
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Look, failed, ok, unknown
from autonomyd.monitor.remote import without_answer
from autonomyd.settings.service import CheckSettings


class PingOptions(CheckSettings):
    """ICMP echo requests; no answer at all, or too slow a one, is a failure."""

    host: str = Field(pattern=r"^[^\s/@]+$")
    """Host name or address."""
    count: Annotated[int, Field(ge=1, le=10)] = 3
    """Requests, one after the other, until one is answered; single ones get lost without a fault."""
    max_ms: Annotated[float, Field(gt=0)] | None = None
    """Slowest good answer, ms."""


class PingProbe:
    kind: ClassVar[str] = "ping"
    Options: ClassVar[type[CheckSettings]] = PingOptions
    asks: ClassVar[bool] = False
    about_service: ClassVar[bool] = False
    metrics: ClassVar[tuple[MetricSpec, ...]] = (MetricSpec(name="ping_ms", unit="ms"),)

    def __init__(self, options: PingOptions, clock: Clock) -> None:
        self._options = options

    async def look(self) -> Look:
        from autonomyd.host.icmp import PingNotAllowed, ping

        options = self._options
        failure = NetworkFailure("no answer", stage="connect")
        try:
            address = (await resolve(options.host))[0]
            for _ in range(options.count):
                try:
                    taken_s = await ping(address, timeout_s=options.timeout_s / options.count)
                except NetworkFailure as error:
                    failure = error
                else:
                    return self._judged(1000.0 * taken_s)
        except NetworkFailure as error:
            failure = error
        except PingNotAllowed as error:
            return unknown(str(error))
        return await without_answer(options.host, failure)

    def _judged(self, taken_ms: float) -> Look:
        slowest, values = self._options.max_ms, {"ping_ms": taken_ms}
        if slowest is not None and taken_ms > slowest:
            return failed(f"answered in {taken_ms:.1f} ms, at most {slowest:g} ms are allowed", values)
        return ok(values, f"answered in {taken_ms:.1f} ms")
