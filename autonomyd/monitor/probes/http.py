"""`type = "http"`: asks for a URL and judges the answer's status, body and time."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from autonomyd.aio.clock import Clock
from autonomyd.host.failure import NetworkFailure
from autonomyd.host.http import http_get, parse_url, request_bytes
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import LATENCY, Bound, Look, failed, ok
from autonomyd.monitor.remote import without_answer
from autonomyd.settings.service import CheckSettings

T = TypeVar("T")


def _sendable(
    value: T, *, url: str = "http://localhost/", method: str = "GET", headers: Mapping[str, str] = MappingProxyType({})
) -> T:
    """`value` itself; refuses now what could never be sent: as a look it would be the fault of an innocent service."""
    try:
        request_bytes(parse_url(url), method, tuple(headers.items()))
    except NetworkFailure as failure:
        raise ValueError(failure.message) from None
    return value


class HttpOptions(CheckSettings):
    """An HTTP or HTTPS request; a refused connection, a reset or silence until the deadline is a failure."""

    url: str = Field(pattern=r"^https?://[^\s]+$", max_length=2000)
    """What to ask for."""
    method: Annotated[str, Field(pattern=r"^[A-Z]+$")] = "GET"
    """Request method."""
    status: int | tuple[int, ...] = 200
    """Status code, or codes, of a good answer."""
    latency_ms: Annotated[float, Field(gt=0)] = 1000.0
    """A slower answer is an issue of its own (high latency), not a failure."""
    contains: str | None = None
    """Text that a good answer's first 64 KiB contain."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Request headers."""
    verify: bool = True
    """Check the certificate of an https URL."""

    @field_validator("url")
    @classmethod
    def _can_be_asked(cls, value: str) -> str:
        return _sendable(value, url=value)

    @field_validator("method")
    @classmethod
    def _is_a_method(cls, value: str) -> str:
        return _sendable(value, method=value)

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, value: dict[str, str]) -> dict[str, str]:
        return _sendable(value, headers=value)


class HttpProbe:
    kind: ClassVar[str] = "http"
    Options: ClassVar[type[CheckSettings]] = HttpOptions
    asks: ClassVar[bool] = True
    cheap: ClassVar[bool] = True
    hedged: ClassVar[bool] = True
    about_service: ClassVar[bool] = True
    metrics: ClassVar[tuple[MetricSpec, ...]] = (MetricSpec(name="latency_ms", unit="ms"),)
    bounds: ClassVar[tuple[Bound, ...]] = (LATENCY,)

    def __init__(self, options: HttpOptions, clock: Clock) -> None:
        self._options = options
        status = options.status
        self._good = frozenset((status,) if isinstance(status, int) else status)
        self._headers = tuple(options.headers.items())

    async def look(self) -> Look:
        options = self._options
        try:
            answer = await http_get(
                options.url,
                method=options.method,
                headers=self._headers,
                timeout_s=options.timeout_s,
                verify=options.verify,
            )
        except NetworkFailure as error:
            return await without_answer(urlsplit(options.url).hostname or "", error)
        values = {"latency_ms": answer.latency_s * 1000.0}
        if answer.status not in self._good:
            expected = ", ".join(map(str, sorted(self._good)))
            return failed(f"answered {answer.status}, expected {expected}", values)
        if options.contains is not None and options.contains.encode() not in answer.body:
            return failed(f"answered {answer.status}, but without the text {options.contains!r}", values)
        return ok(values, f"{answer.status} in {values['latency_ms']:.0f} ms")
