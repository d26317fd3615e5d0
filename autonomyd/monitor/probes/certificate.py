"""`type = "certificate"`: how long a certificate is still good, and whether it is accepted."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from autonomyd.aio.clock import Clock
from autonomyd.aio.offload import in_thread
from autonomyd.host.failure import NetworkFailure
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Look, failed, ok, unknown
from autonomyd.monitor.remote import without_answer
from autonomyd.settings.service import CheckSettings

DAY_S = 86_400.0


class CertificateOptions(CheckSettings):
    """The certificate of a TLS server, or those in a file; expired, about to, or not accepted is a failure."""

    host: str | None = Field(default=None, pattern=r"^[^\s/@]+$")
    """Host name or address of the server."""
    port: Annotated[int, Field(ge=1, le=65535)] = 443
    """Port; TLS from the first byte on."""
    server_name: str | None = None
    """Name that the certificate must be for; default: host."""
    verify: bool = True
    """Whether its chain and name must be good, or only its dates."""
    file: str | None = Field(default=None, pattern=r"^/")
    """Instead of host: a PEM file; the certificate in it that ends first counts."""
    days: Annotated[float, Field(ge=0)] = 14.0
    """Fewer days left are a failure."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.host is None) is (self.file is None):
            raise PydanticCustomError("certificate_source", "a certificate check has one source: `host` or `file`")
        return self


class CertificateProbe:
    kind: ClassVar[str] = "certificate"
    Options: ClassVar[type[CheckSettings]] = CertificateOptions
    asks: ClassVar[bool] = False
    about_service: ClassVar[bool] = False
    metrics: ClassVar[tuple[MetricSpec, ...]] = (MetricSpec(name="days_left", unit="d"),)

    def __init__(self, options: CertificateOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock

    async def look(self) -> Look:
        return await (self._of_server() if self._options.host is not None else self._of_file())

    async def _of_server(self) -> Look:
        from autonomyd.host.tls import server_certificate  # ssl takes memory: only where it is used

        options = self._options
        host = options.host or ""
        try:
            found = await server_certificate(
                host,
                options.port,
                name=options.server_name or host,
                verify=options.verify,
                timeout_s=options.timeout_s,
            )
        except NetworkFailure as error:
            return await without_answer(host, error)
        return self._judged(found.begins, found.ends)

    async def _of_file(self) -> Look:
        from autonomyd.host.tls import file_certificates

        path = self._options.file or ""
        try:
            found = await in_thread(lambda: file_certificates(path))
        except FileNotFoundError:
            return failed(f"{path} does not exist")
        except OSError as error:
            return unknown(f"{path} can't be read: {error.strerror}")
        except ValueError as error:
            return failed(f"{path}: {error}")
        return self._judged(max(each.begins for each in found), min(each.ends for each in found))

    def _judged(self, begins: float, ends: float) -> Look:
        now = self._clock.wall()
        left = (ends - now) / DAY_S
        values = {"days_left": left}
        if left < 0:
            return failed(f"the certificate expired {-left:.1f} days ago: renew it", values)
        if begins > now:
            return failed(
                f"the certificate is good only in {(begins - now) / DAY_S:.1f} days: is the clock right?", values
            )
        if left < self._options.days:
            return failed(f"the certificate is good for {left:.1f} days only: renew it", values)
        return ok(values, f"good for {left:.0f} days")
