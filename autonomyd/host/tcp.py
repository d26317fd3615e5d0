"""Connecting to an address under a deadline: the ground of the tcp and http looks. It keeps no connection."""

import asyncio
import errno
import functools
import ipaddress
import os
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from autonomyd.aio.offload import in_thread
from autonomyd.host.failure import NetworkFailure

if TYPE_CHECKING:
    import ssl

__all__ = ["NetworkFailure", "connect_failure", "open_transport", "reason_of", "resolve", "tcp_connect"]

LOCALHOST = ("127.0.0.1", "::1")
OUR_ERRORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""This machine had no descriptors, memory or ports left: that says nothing about the other side."""

P = TypeVar("P", bound=asyncio.BaseProtocol)


async def tcp_connect(host: str, port: int, *, timeout_s: float) -> float:
    """Connect, hang up, and give the seconds it took (with finding the address). Raises NetworkFailure only."""
    began = time.perf_counter()
    deadline = asyncio.get_running_loop().time() + timeout_s
    try:
        async with asyncio.timeout_at(deadline):
            addresses = await resolve(host)
            transport, _ = await open_transport(asyncio.Protocol, addresses, port, deadline=deadline)
    except TimeoutError:
        raise NetworkFailure(f"no connection within {timeout_s:g} s", stage="connect") from None
    latency_s = time.perf_counter() - began
    transport.abort()
    return latency_s


async def resolve(host: str) -> tuple[str, ...]:
    """The addresses of `host`, best first. Literal addresses and localhost ask nobody. Raises NetworkFailure.

    A name is looked up in a thread of its own: a resolver that hangs must not use up a pool that others wait for."""
    if host == "localhost":
        return LOCALHOST
    if is_literal(host):
        return (host,)
    try:
        found = await in_thread(lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise NetworkFailure(f"can't resolve {host}: {reason}", stage="resolve", ours=_is_ours(error)) from None
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


async def open_transport(
    factory: Callable[[], P],
    addresses: tuple[str, ...],
    port: int,
    *,
    deadline: float,
    tls: "ssl.SSLContext | None" = None,
    server_name: str | None = None,
) -> tuple[asyncio.Transport, P]:
    """A connection to the first address that takes one; raises NetworkFailure when none does. The caller enforces
    `deadline` (loop time); here it is shared out, so that an address that never answers leaves time for the next."""
    loop = asyncio.get_running_loop()
    failure = NetworkFailure("no address", stage="resolve")
    for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
        connecting = loop.create_connection(
            factory, address, port, ssl=tls, server_hostname=server_name if tls else None
        )
        try:
            if left == 1:
                return await connecting
            now = loop.time()
            async with asyncio.timeout_at(now + (deadline - now) / left):
                return await connecting
        except (OSError, ValueError, OverflowError) as error:
            failure = connect_failure(error)
    raise failure


def connect_failure(error: Exception) -> NetworkFailure:
    """What went wrong while connecting, in words."""
    return NetworkFailure(reason_of(error), stage="connect", ours=_is_ours(error))


def reason_of(error: BaseException) -> str:
    """One sentence for an error of the network."""
    verify = getattr(error, "verify_message", None)
    if verify:
        return f"certificate not accepted: {verify}"
    if isinstance(error, OSError) and isinstance(reason := getattr(error, "reason", None), str):
        # an ssl.SSLError: its number is OpenSSL's own and only looks like one of the system's
        return f"no TLS: {reason.replace('_', ' ').lower()}"
    if isinstance(error, TimeoutError) and not error.errno:
        return "no connection in its share of the time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionResetError):
        return "connection reset"
    if isinstance(error, OSError) and error.errno and error.errno in errno.errorcode:
        return os.strerror(error.errno).lower()
    return str(error) or type(error).__name__


@functools.lru_cache(maxsize=512)
def is_literal(host: str) -> bool:
    """Whether `host` is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_ours(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in OUR_ERRORS
