"""`type = "tcp"`: connects to a port."""

from typing import Annotated, ClassVar

from pydantic import Field

from autonomyd.aio.clock import Clock
from autonomyd.host.failure import NetworkFailure
from autonomyd.host.tcp import tcp_connect
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Look, ok
from autonomyd.monitor.remote import without_answer
from autonomyd.settings.service import CheckSettings


class TcpOptions(CheckSettings):
    """A TCP connection; refused, or silence until the deadline, is a failure."""

    host: str = "127.0.0.1"
    """Host name or address."""
    port: Annotated[int, Field(ge=1, le=65535)]
    """Port."""


class TcpProbe:
    kind: ClassVar[str] = "tcp"
    Options: ClassVar[type[CheckSettings]] = TcpOptions
    asks: ClassVar[bool] = True
    cheap: ClassVar[bool] = True
    hedged: ClassVar[bool] = True
    about_service: ClassVar[bool] = True
    metrics: ClassVar[tuple[MetricSpec, ...]] = (MetricSpec(name="connect_ms", unit="ms"),)

    def __init__(self, options: TcpOptions, clock: Clock) -> None:
        self._options = options

    async def look(self) -> Look:
        options = self._options
        try:
            latency_s = await tcp_connect(options.host, options.port, timeout_s=options.timeout_s)
        except NetworkFailure as error:
            return await without_answer(options.host, error)
        return ok({"connect_ms": latency_s * 1000.0}, f"connected in {latency_s * 1000:.0f} ms")
