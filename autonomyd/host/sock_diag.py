"""The listening and the connected TCP sockets from the kernel's socket diagnostics (sock_diag(7)).

/proc/net/tcp tells the same, but walks through every connection for it: on a busy machine that takes tens of
milliseconds, and a decision about a service that died waits for it."""

import ipaddress
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST_DUMP = 0x001 | 0x300
NLMSG_ERROR = 2
NLMSG_DONE = 3
LISTENING = 1 << 10  # TCP_LISTEN in the bit set of states
ESTABLISHED = 1 << 1
TIMEOUT_S = 1.0
BUFFER = 1 << 16

_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_REQUEST = struct.Struct("=BBBBI48x")  # inet_diag_req_v2: family, protocol, extensions, padding, states, socket id
_PORT = struct.Struct("!H")  # sdiag_sport, in network order
_INODE = struct.Struct("=I")
_SOURCE_PORT_AT, _PEER_PORT_AT, _SOURCE_AT, _PEER_AT, _INODE_AT = 4, 6, 8, 24, 68  # within inet_diag_msg


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One end of an established connection; an IPv4 address is told as such where an IPv6 socket holds it."""

    address: str
    port: int
    peer: str
    peer_port: int
    inode: str


def listening_sockets() -> list[tuple[int, str, str]]:
    """(port, address, inode). Raises OSError where the kernel, or a sandbox around the daemon, does not have it."""
    return [
        (_port(message, _SOURCE_PORT_AT), _address(message, _SOURCE_AT, family), _inode(message))
        for message, family in _dumped(LISTENING)
    ]


def established_sockets(most: int) -> list[Connection]:
    """The first `most` ends of TCP connections. Raises OSError as `listening_sockets` does."""
    found: list[Connection] = []
    for message, family in _dumped(ESTABLISHED):
        if len(found) >= most:
            break
        found.append(
            Connection(
                address=_address(message, _SOURCE_AT, family, as_held=False),
                port=_port(message, _SOURCE_PORT_AT),
                peer=_address(message, _PEER_AT, family, as_held=False),
                peer_port=_port(message, _PEER_PORT_AT),
                inode=_inode(message),
            )
        )
    return found


def _dumped(states: int) -> Iterator[tuple[memoryview, socket.AddressFamily]]:
    """An inet_diag_msg for each TCP socket in one of `states`."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as link:
        link.settimeout(TIMEOUT_S)
        for family in (socket.AF_INET, socket.AF_INET6):
            for message in _dump(link, family, states):
                yield message, family


def _dump(link: socket.socket, family: socket.AddressFamily, states: int) -> Iterator[memoryview]:
    body = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, states)
    link.send(_HEADER.pack(_HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST_DUMP, family, 0) + body)
    while True:
        data = memoryview(link.recv(BUFFER))
        while len(data) >= _HEADER.size:
            length, kind, _, _, _ = _HEADER.unpack_from(data)
            if kind == NLMSG_DONE:
                return
            if kind == NLMSG_ERROR:
                raise OSError(-struct.unpack_from("=i", data, _HEADER.size)[0], "the kernel does not tell its sockets")
            yield data[_HEADER.size : length]
            data = data[(length + 3) & ~3 :]


def _port(message: memoryview, at: int) -> int:
    port: int = _PORT.unpack_from(message, at)[0]
    return port


def _inode(message: memoryview) -> str:
    return str(_INODE.unpack_from(message, _INODE_AT)[0])


def _address(message: memoryview, at: int, family: socket.AddressFamily, *, as_held: bool = True) -> str:
    if family == socket.AF_INET:
        return str(ipaddress.IPv4Address(bytes(message[at : at + 4])))
    address = ipaddress.IPv6Address(bytes(message[at : at + 16]))
    mapped = None if as_held else address.ipv4_mapped
    return str(mapped or address)
