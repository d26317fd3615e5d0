"""Whether this machine itself is off the network: then a look at another machine that failed has shown nothing. Asked
only after a failure, and answered from the kernel's tables: nothing is sent, nothing is kept."""

import contextlib
import errno
import ipaddress
import os
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from autonomyd.host.failure import NetworkFailure
from autonomyd.host.tcp import resolve

ROUTES = "/proc/net/route"
ROUTES_6 = "/proc/net/ipv6_route"
NEIGHBOURS = "/proc/net/arp"
_UP = 0x1
_GATEWAY = 0x2
_REJECT = 0x200
_COMPLETE = 0x2
_NO_WAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route of the kernel's table; `gateway` is None on a network that is directly there."""

    interface: str
    network: ipaddress.IPv4Network
    gateway: str | None


async def own_fault(host: str, failure: NetworkFailure) -> str:
    """In words, why a look at `host` failed for a reason that lies in this machine; empty where it does not, or that
    can't be told. Raises nothing."""
    if failure.ours:
        return failure.message
    if failure.stage == "resolve":
        return why_off_the_network()
    if failure.stage != "connect":
        return ""
    try:
        addresses = await resolve(host)
    except NetworkFailure:
        return ""
    reasons = [why_off(address) for address in addresses]
    return reasons[0] if reasons and all(reasons) else ""


def why_off(host: str) -> str:
    """In words, why there is no way from this machine to the address `host`; empty when there is, or that can't be
    told. Never said of this machine's own addresses."""
    address = _address(host)
    if address is None:
        return ""
    if address.is_loopback or address.is_unspecified:
        return ""
    words = _no_route(address)
    if words:
        return words
    if isinstance(address, ipaddress.IPv4Address) and sys.platform == "linux" and not _is_own(address):
        return _dead_way(address)
    return ""


def default_routes() -> tuple[Route, ...]:
    """The ways out to everybody else, IPv4. Raises OSError when the kernel's table can't be read."""
    return tuple(route for route in _routes() if route.network.prefixlen == 0)


def link_problem(route: Route) -> str:
    """Why nothing goes out by this route now, in words; empty when it is well, or that can't be told."""
    if not _has_carrier(route.interface):
        return f"the network interface {route.interface} has no link"
    if route.gateway is not None and _is_lost(route.gateway, route.interface):
        return f"the gateway {route.gateway} does not answer on {route.interface}"
    return ""


def why_off_the_network() -> str:
    """In words, why nothing goes out of this machine at all; empty when something does, or that can't be told."""
    if sys.platform != "linux":
        return ""
    try:
        routes = default_routes()
        with contextlib.suppress(FileNotFoundError), open(ROUTES_6, encoding="ascii") as table:
            if any(_is_default_6(line.split()) for line in table):
                return ""
    except (OSError, ValueError):
        return ""
    if not routes:
        return "this machine has no default route: it is off the network"
    problems = [link_problem(route) for route in routes]
    return f"this machine is off the network: {problems[0]}" if all(problems) else ""


def _no_route(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """A datagram socket that is connected asks for a route and sends nothing."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((str(address), 9))
    except OSError as error:
        if error.errno in _NO_WAY:
            return f"this machine has no way to {address}: {os.strerror(error.errno or 0).lower()}"
    return ""


def _dead_way(address: ipaddress.IPv4Address) -> str:
    try:
        fitting = [route for route in _routes() if address in route.network]
    except (OSError, ValueError):
        return ""
    if not fitting:
        return ""
    problem = link_problem(max(fitting, key=lambda route: route.network.prefixlen))
    return f"this machine is off the network: {problem}" if problem else ""


def _is_own(address: ipaddress.IPv4Address) -> bool:
    """Only to an own address does the kernel bind a socket."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.bind((str(address), 0))
    except OSError:
        return False
    return True


def _routes() -> Iterator[Route]:
    """Source: Linux, net/ipv4/fib_trie.c, fib_route_seq_show: addresses in hexadecimal, in the machine's byte order."""
    with open(ROUTES, encoding="ascii") as table:
        next(table, "")
        for line in table:
            interface, network, gateway, flags, _, _, _, mask, *_ = line.split()
            if int(flags, 16) & _UP and not int(flags, 16) & _REJECT:
                yield Route(
                    interface=interface,
                    network=ipaddress.IPv4Network(f"{_plain(network)}/{_plain(mask)}", strict=False),
                    gateway=_plain(gateway) if int(flags, 16) & _GATEWAY else None,
                )


def _is_default_6(fields: list[str]) -> bool:
    return len(fields) >= 10 and fields[1] == "00" and fields[0] == "0" * 32 and fields[9] != "lo"


def _plain(hexadecimal: str) -> str:
    return socket.inet_ntoa(struct.pack("=L", int(hexadecimal, 16)))


def _has_carrier(interface: str) -> bool:
    try:
        with open(f"/sys/class/net/{interface}/carrier", encoding="ascii") as file:
            return file.read().strip() != "0"
    except OSError as error:
        return error.errno != errno.EINVAL  # the kernel's answer for an interface that is down


def _is_lost(gateway: str, interface: str) -> bool:
    """Whether the kernel has asked for the gateway on its network and got no answer. One that nobody needed lately has
    no entry, which says nothing."""
    with contextlib.suppress(OSError, ValueError), open(NEIGHBOURS, encoding="ascii") as table:
        for line in table:
            fields = line.split()
            if len(fields) >= 6 and fields[0] == gateway and fields[5] == interface:
                return not int(fields[2], 16) & _COMPLETE
    return False


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
