"""Asks one name server one question over UDP. For looking whether that server answers, not for resolving names."""

import asyncio
import os
import socket
import struct
import time
from dataclasses import dataclass

from autonomyd.host.failure import NetworkFailure
from autonomyd.host.tcp import connect_failure

TYPES = {"A": 1, "AAAA": 28}
CODES = {
    1: "the question was not understood (FORMERR)",
    2: "the server failed (SERVFAIL)",
    3: "there is no such name (NXDOMAIN)",
    5: "the server refuses to answer (REFUSED)",
}
RESEND_S = 1.0
"""A datagram may get lost: ask again this often."""
_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")
_POINTER = 0xC0


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsAnswer:
    """`addresses` of the wanted type; `code` is the server's (0: well), `latency_s` from question to answer."""

    addresses: tuple[str, ...]
    code: int
    latency_s: float


async def ask_nameserver(server: str, name: str, *, record: str = "A", port: int = 53, timeout_s: float) -> DnsAnswer:
    """The answer of `server` (an address). Raises NetworkFailure when none comes, ValueError for a name that can't be
    one."""
    loop = asyncio.get_running_loop()
    number = int.from_bytes(os.urandom(2))
    question = _question(number, name, TYPES[record])
    try:
        transport, protocol = await loop.create_datagram_endpoint(
            lambda: _Asking(number, loop.create_future()), remote_addr=(server, port)
        )
    except OSError as error:
        raise connect_failure(error) from None
    began = time.perf_counter()
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                transport.sendto(question)
                done, _ = await asyncio.wait((protocol.answer,), timeout=RESEND_S)
                if done:
                    return _parsed(protocol.answer.result(), TYPES[record], time.perf_counter() - began)
    except TimeoutError:
        raise NetworkFailure(f"{server} did not answer within {timeout_s:g} s", stage="connect") from None
    finally:
        transport.close()


class _Asking(asyncio.DatagramProtocol):
    def __init__(self, number: int, answer: "asyncio.Future[bytes]") -> None:
        self._number = number
        self.answer = answer

    def datagram_received(self, data: bytes, addr: object) -> None:
        # the socket is connected: only the server's own datagrams come; the number tells late answers apart
        if len(data) >= 12 and int.from_bytes(data[:2]) == self._number and not self.answer.done():
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(connect_failure(exc))


def _question(number: int, name: str, kind: int) -> bytes:
    """Source: RFC 1035, section 4.1; recursion is wanted."""
    labels = name.rstrip(".").encode("idna").split(b".")
    if any(not 0 < len(label) < 64 for label in labels):
        raise ValueError(f"{name!r} is no host name")
    encoded = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return _HEADER.pack(number, 0x0100, 1, 0, 0, 0) + encoded + struct.pack("!HH", kind, 1)


def _parsed(data: bytes, kind: int, latency_s: float) -> DnsAnswer:
    try:
        _, flags, questions, answers, _, _ = _HEADER.unpack_from(data)
        at = _HEADER.size
        for _ in range(questions):
            at = _after_name(data, at) + 4
        found = []
        for _ in range(answers):
            at = _after_name(data, at)
            this, _, _, length = _RECORD.unpack_from(data, at)
            at += _RECORD.size
            if this == kind:
                family = socket.AF_INET if kind == TYPES["A"] else socket.AF_INET6
                found.append(socket.inet_ntop(family, data[at : at + length]))
            at += length
    except (struct.error, IndexError, ValueError) as error:
        raise NetworkFailure("the answer is no DNS message", stage="answer") from error
    return DnsAnswer(addresses=tuple(found), code=flags & 0x0F, latency_s=latency_s)


def _after_name(data: bytes, at: int) -> int:
    while data[at]:
        if data[at] & _POINTER == _POINTER:
            return at + 2
        at += data[at] + 1
    return at + 1
