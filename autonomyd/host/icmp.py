"""Ping: one ICMP echo request and its answer. Needs no program and, on most machines, no privileges."""

import asyncio
import errno
import os
import socket
import struct
import time

from autonomyd.host.failure import NetworkFailure
from autonomyd.host.tcp import connect_failure

ECHO = {socket.AF_INET: (8, 0), socket.AF_INET6: (128, 129)}
"""Types of request and answer. Source: RFC 792; RFC 4443, section 4."""
PAYLOAD = 16


class PingNotAllowed(Exception):  # noqa: N818
    """This machine lets the daemon send no ICMP; the message says what to do."""


async def ping(address: str, *, timeout_s: float) -> float:
    """Seconds until `address` (no name) answered. Raises NetworkFailure, PingNotAllowed."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with _socket(family) as asking:
        asking.setblocking(False)
        token = os.urandom(PAYLOAD)
        began = time.perf_counter()
        try:
            asking.connect((address, 0))
            asking.send(_request(family, token))
        except OSError as error:
            raise connect_failure(error) from None
        try:
            async with asyncio.timeout(timeout_s):
                while not await _is_answer(asking, family, token):
                    pass
        except TimeoutError:
            raise NetworkFailure(f"no answer within {timeout_s:g} s", stage="connect") from None
        return time.perf_counter() - began


def _socket(family: int) -> socket.socket:
    protocol = socket.IPPROTO_ICMP if family == socket.AF_INET else socket.IPPROTO_ICMPV6
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            return socket.socket(family, kind, protocol)
        except PermissionError:
            continue
        except OSError as error:
            if error.errno in (errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT):
                continue
            raise connect_failure(error) from None
    raise PingNotAllowed(
        "the daemon may not send ICMP: let its group do so (sysctl net.ipv4.ping_group_range) or give it CAP_NET_RAW"
    )


def _request(family: int, token: bytes) -> bytes:
    """The kernel puts its own identifier in (datagram socket); the token tells our answer from others."""
    kind, _ = ECHO[socket.AddressFamily(family)]
    plain = struct.pack("!BBHHH", kind, 0, 0, os.getpid() & 0xFFFF, 1) + token
    checksum = 0 if family == socket.AF_INET6 else _checksum(plain)  # ICMPv6: the kernel's work
    return plain[:2] + struct.pack("!H", checksum) + plain[4:]


def _checksum(data: bytes) -> int:
    """Source: RFC 1071."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


async def _is_answer(asking: socket.socket, family: int, token: bytes) -> bool:
    await _readable(asking)
    try:
        packet = asking.recv(2048)
    except BlockingIOError:
        return False
    except OSError as error:
        raise connect_failure(error) from None
    if family == socket.AF_INET and asking.type == socket.SOCK_RAW:
        packet = packet[(packet[0] & 0x0F) * 4 :]  # a raw socket shows the IP header too
    _, answer = ECHO[socket.AddressFamily(family)]
    return len(packet) >= 8 and packet[0] == answer and packet[8:] == token


async def _readable(asking: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    arrived: asyncio.Future[None] = loop.create_future()
    loop.add_reader(asking.fileno(), lambda: None if arrived.done() else arrived.set_result(None))
    try:
        await arrived
    finally:
        loop.remove_reader(asking.fileno())
