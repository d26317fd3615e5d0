"""Looks at certificates: the one that a server shows, or those in a file. Keeps no connection."""

import asyncio
import calendar
import time
from dataclasses import dataclass
from typing import Any

from autonomyd.host.failure import NetworkFailure
from autonomyd.host.http import tls_context
from autonomyd.host.tcp import open_transport, resolve

FILE_BYTES = 1_048_576
_SEQUENCE = 0x30
_VERSION = 0xA0
_UTC_TIME = 0x17
_TIME = 0x18


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """From when to when a certificate is good, epoch seconds."""

    begins: float
    ends: float


async def server_certificate(host: str, port: int, *, name: str, verify: bool, timeout_s: float) -> Validity:
    """The certificate of the server; with `verify` its chain and `name` must be good too. Raises NetworkFailure; what
    is wrong with the certificate is in its words."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    try:
        async with asyncio.timeout_at(deadline):
            context = await tls_context(verify)
            addresses = await resolve(host)
            transport, _ = await open_transport(
                asyncio.Protocol, addresses, port, deadline=deadline, tls=context, server_name=name
            )
    except TimeoutError:
        raise NetworkFailure(f"no TLS connection within {timeout_s:g} s", stage="connect") from None
    try:
        shown: Any = transport.get_extra_info("ssl_object")
        return validity(shown.getpeercert(True))
    except (AttributeError, TypeError, ValueError) as error:
        raise NetworkFailure(f"the server's certificate can't be read: {error}", stage="answer") from None
    finally:
        transport.abort()


def file_certificates(path: str) -> tuple[Validity, ...]:
    """Those in a PEM file, in order. Raises OSError, and ValueError when there is none or one is damaged. For a
    thread."""
    import ssl

    with open(path, "rb") as file:
        text = file.read(FILE_BYTES).decode("ascii", "replace")
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    blocks = [f"{begin}{part.partition(end)[0]}{end}" for part in text.split(begin)[1:] if end in part]
    if not blocks:
        raise ValueError("there is no certificate in it")
    return tuple(validity(ssl.PEM_cert_to_DER_cert(block)) for block in blocks)


def validity(der: bytes) -> Validity:
    """Source: RFC 5280, section 4.1: Certificate { TBSCertificate { [0] version?, serial, algorithm, issuer, validity
    { notBefore, notAfter }, ...} }. Raises ValueError."""
    _, certificate, _ = _element(der)
    _, body, _ = _element(certificate)
    kind, _, rest = _element(body)
    if kind == _VERSION:
        _, _, rest = _element(rest)
    for _ in range(2):  # the algorithm and the issuer; the serial number is behind us
        _, _, rest = _element(rest)
    kind, span, _ = _element(rest)
    if kind != _SEQUENCE:
        raise ValueError("not a certificate")
    begin_kind, begins, rest = _element(span)
    end_kind, ends, _ = _element(rest)
    return Validity(begins=_epoch(begin_kind, begins), ends=_epoch(end_kind, ends))


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """(tag, content, what follows) of the first element. Source: X.690, section 8.1."""
    if len(data) < 2:
        raise ValueError("it ends too early")
    length, at = data[1], 2
    if length & 0x80:
        at += length & 0x7F
        length = int.from_bytes(data[2:at])
    if len(data) < at + length:
        raise ValueError("it ends too early")
    return data[0], data[at : at + length], data[at + length :]


def _epoch(kind: int, text: bytes) -> float:
    plain = text.decode("ascii")
    if kind == _UTC_TIME:  # two digits of the year; 50 and more is the last century
        plain = ("19" if plain[:2] >= "50" else "20") + plain
    elif kind != _TIME:
        raise ValueError("not a time")
    return float(calendar.timegm(time.strptime(plain, "%Y%m%d%H%M%SZ")))
