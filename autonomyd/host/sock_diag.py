"""The listening TCP sockets from the kernel's socket diagnostics (sock_diag(7)).

/proc/net/tcp tells the same, but walks through every connection for it: on a busy machine that takes tens of
milliseconds, and a decision about a service that died waits for it."""

import ipaddress
import socket
import struct

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST_DUMP = 0x001 | 0x300
NLMSG_ERROR = 2
NLMSG_DONE = 3
LISTENING = 1 << 10  # TCP_LISTEN in the bit set of states
TIMEOUT_S = 1.0
BUFFER = 1 << 16

_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_REQUEST = struct.Struct("=BBBBI48x")  # inet_diag_req_v2: family, protocol, extensions, padding, states, socket id
_PORT = struct.Struct("!H")  # sdiag_sport, in network order
_INODE = struct.Struct("=I")
_SOURCE_PORT_AT, _SOURCE_AT, _INODE_AT = 4, 8, 68  # within inet_diag_msg


def listening_sockets() -> list[tuple[int, str, str]]:
    """(port, address, inode). Raises OSError where the kernel, or a sandbox around the daemon, does not have it."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as link:
        link.settimeout(TIMEOUT_S)
        return [row for family in (socket.AF_INET, socket.AF_INET6) for row in _dump(link, family)]


def _dump(link: socket.socket, family: socket.AddressFamily) -> list[tuple[int, str, str]]:
    body = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, LISTENING)
    link.send(_HEADER.pack(_HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST_DUMP, family, 0) + body)
    found: list[tuple[int, str, str]] = []
    while True:
        data = memoryview(link.recv(BUFFER))
        while len(data) >= _HEADER.size:
            length, kind, _, _, _ = _HEADER.unpack_from(data)
            if kind == NLMSG_DONE:
                return found
            if kind == NLMSG_ERROR:
                raise OSError(-struct.unpack_from("=i", data, _HEADER.size)[0], "the kernel does not tell its sockets")
            found.append(_socket(data[_HEADER.size : length], family))
            data = data[(length + 3) & ~3 :]


def _socket(message: memoryview, family: socket.AddressFamily) -> tuple[int, str, str]:
    size = 4 if family == socket.AF_INET else 16
    return (
        _PORT.unpack_from(message, _SOURCE_PORT_AT)[0],
        str(ipaddress.ip_address(bytes(message[_SOURCE_AT : _SOURCE_AT + size]))),
        str(_INODE.unpack_from(message, _INODE_AT)[0]),
    )
