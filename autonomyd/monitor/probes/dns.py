"""`type = "dns"`: whether a name can be resolved, and to what."""

import ipaddress
import time
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from autonomyd.aio.clock import Clock
from autonomyd.host.failure import NetworkFailure
from autonomyd.host.tcp import resolve
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Look, failed, ok
from autonomyd.monitor.remote import without_answer
from autonomyd.settings.service import CheckSettings

LABEL_CHARS = 63


def _plain(address: str) -> str:
    return str(ipaddress.ip_address(address))


Address = Annotated[str, AfterValidator(_plain)]


class DnsOptions(CheckSettings):
    """A host name; no answer, or another one than is expected, is a failure. `name` is what to resolve, and the check's
    name too."""

    host: str | None = None
    """What to resolve, where the check has another name."""
    server: Address | None = None
    """Address of the name server to ask; default: as this machine resolves names (its files, its resolver)."""
    port: Annotated[int, Field(ge=1, le=65535)] = 53
    """Port of `server`."""
    record: Literal["A", "AAAA"] = "A"
    """What `server` is asked for."""
    addresses: tuple[Address, ...] = ()
    """Addresses that the answer must be among; default: any."""

    @property
    def wanted(self) -> str:
        return self.host or self.name or ""

    @model_validator(mode="after")
    def _is_a_name(self) -> Self:
        labels = self.wanted.rstrip(".").split(".")
        if any(not 0 < len(label) <= LABEL_CHARS or " " in label for label in labels):
            raise PydanticCustomError("dns_name", 'a dns check needs the host name to resolve: name = "example.org"')
        return self


class DnsProbe:
    kind: ClassVar[str] = "dns"
    Options: ClassVar[type[CheckSettings]] = DnsOptions
    asks: ClassVar[bool] = False
    about_service: ClassVar[bool] = False
    metrics: ClassVar[tuple[MetricSpec, ...]] = (MetricSpec(name="resolve_ms", unit="ms"),)

    def __init__(self, options: DnsOptions, clock: Clock) -> None:
        self._options = options

    async def look(self) -> Look:
        options = self._options
        began = time.perf_counter()
        try:
            if options.server is None:
                addresses, wrong = await resolve(options.wanted), ""
            else:
                addresses, wrong = await self._asked(options.server)
        except NetworkFailure as error:
            return await without_answer(options.server or options.wanted, error)
        values = {"resolve_ms": 1000.0 * (time.perf_counter() - began)}
        if wrong:
            return failed(wrong, values)
        strange = [each for each in addresses if options.addresses and _plain(each) not in options.addresses]
        if strange:
            expected = ", ".join(options.addresses)
            return failed(f"{options.wanted} is {', '.join(strange)}, expected {expected}", values)
        return ok(values, f"{options.wanted} is {', '.join(addresses)}")

    async def _asked(self, server: str) -> tuple[tuple[str, ...], str]:
        from autonomyd.host.nameserver import CODES, ask_nameserver

        options = self._options
        answer = await ask_nameserver(
            server, options.wanted, record=options.record, port=options.port, timeout_s=options.timeout_s
        )
        if answer.code:
            why = CODES.get(answer.code, f"code {answer.code}")
            return (), f"{server} on {options.wanted}: {why}"
        if not answer.addresses:
            return (), f"{server} knows no {options.record} record of {options.wanted}"
        return answer.addresses, ""
