"""Who listens on this machine: the raw material of discovery. It reads and names; what is worth watching is decided
elsewhere."""

import ipaddress
import os
import re
import sys
from dataclasses import dataclass

from autonomyd.host.process import cmdline, read_process, working_folder
from autonomyd.host.sock_diag import listening_sockets

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
LISTEN_STATE = "0A"
_SOCKET = re.compile(r"socket:\[(\d+)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One listening TCP port. `pid` is None, and what follows from it empty, when its owner may not be seen. `unit` is
    the system unit that the process runs in, None outside of one."""

    port: int
    address: str
    pid: int | None
    name: str = ""
    cmdline: tuple[str, ...] = ()
    cwd: str | None = None
    unit: str | None = None


def listening_services(ports: frozenset[int] | None = None) -> tuple[Listener, ...]:
    """The TCP ports (of `ports`, if any are named) that other processes listen on, by port; one entry for a port and
    process, IPv4 before IPv6. Left out are the daemon's own, and the kernel's as far as all processes can be seen.
    For a thread."""
    sockets = _proc_sockets(ports) if sys.platform == "linux" else _psutil_sockets(ports)
    found: dict[tuple[int, int | None], Listener] = {}
    for port, address, pid in sorted(sockets, key=lambda each: (each[0], ":" in each[1], each[1], each[2] or 0)):
        if pid == os.getpid() or (port, pid) in found:
            continue
        found[port, pid] = _listener(port, address, pid)
    return tuple(found.values())


def unit_of(pid: int) -> str | None:
    """The system service in whose control group `pid` is, None when in none (a user's, a container's, a session's)."""
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8", errors="replace") as file:
            return parse_unit(file.read())
    except OSError:
        return None


def parse_unit(text: str) -> str | None:
    """The service named in a /proc/PID/cgroup text."""
    for line in text.splitlines():
        number, controllers, path = (*line.split(":", 2), "", "")[:3]
        if number != "0" and controllers != "name=systemd":
            continue
        parts = path.split("/")
        if any(part.startswith("user@") for part in parts):
            return None  # a unit of the user's own manager, which the system's does not know
        for part in reversed(parts):
            if part.endswith(".service"):
                return part
    return None


def parse_table(text: str) -> list[tuple[int, str, str]]:
    """(port, address, inode) of the listening sockets in a /proc/net/tcp or tcp6 text."""
    found = []
    for line in text.splitlines()[1:]:
        field = line.split()
        if len(field) > 9 and field[3] == LISTEN_STATE:
            address, _, port = field[1].rpartition(":")
            found.append((int(port, 16), _address(address), field[9]))
    return found


def _address(text: str) -> str:
    # The kernel prints the address as 32-bit words in the machine's own byte order.
    raw = b"".join(int(text[start : start + 8], 16).to_bytes(4, sys.byteorder) for start in range(0, len(text), 8))
    return str(ipaddress.ip_address(raw))


def _listener(port: int, address: str, pid: int | None) -> Listener:
    if pid is None:
        return Listener(port=port, address=address, pid=None)
    facts = read_process(pid)
    return Listener(
        port=port,
        address=address,
        pid=pid,
        name=facts.name if facts else "",
        cmdline=cmdline(pid),
        cwd=working_folder(pid),
        unit=unit_of(pid) if sys.platform == "linux" else None,
    )


def _proc_sockets(ports: frozenset[int] | None) -> list[tuple[int, str, int | None]]:
    try:
        all_rows = listening_sockets()
    except OSError:  # an old sandbox, or a kernel without it
        all_rows = _table_rows()
    rows = [row for row in all_rows if ports is None or row[0] in ports]
    if not rows:
        return []  # whose they are takes a look at every descriptor of every process
    owners, complete = _owners({inode for _, _, inode in rows})
    return [
        (port, address, owners.get(inode))
        for port, address, inode in rows
        if inode in owners or not complete  # seen whole, a socket without an owner is the kernel's (a file server)
    ]


def _table_rows() -> list[tuple[int, str, str]]:
    """What `listening_sockets` tells, at the price of a walk through every connection of the machine."""
    rows: list[tuple[int, str, str]] = []
    for table in TABLES:
        try:
            with open(table, encoding="ascii") as file:
                rows += parse_table(file.read())
        except OSError:
            continue  # no IPv6 in this kernel
    return rows


def _owners(inodes: set[str]) -> tuple[dict[str, int], bool]:
    """The process of each socket: of a server whose workers all hold it, the one that started the others. Also whether
    every process could be seen."""
    holders: dict[str, list[int]] = {}
    complete = True
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for name in os.listdir(f"/proc/{pid}/fd"):
                match = _SOCKET.match(os.readlink(f"/proc/{pid}/fd/{name}"))
                if match and match[1] in inodes:
                    holders.setdefault(match[1], []).append(int(pid))
        except PermissionError:
            complete = False
        except OSError:
            continue
    return {inode: _eldest(pids) for inode, pids in holders.items()}, complete


def _eldest(pids: list[int]) -> int:
    if len(pids) == 1:
        return pids[0]
    known = [facts for pid in dict.fromkeys(pids) if (facts := read_process(pid)) is not None]
    heads = [facts for facts in known if facts.ppid not in pids] or known
    return min(heads, key=lambda facts: (facts.start_ticks, facts.pid)).pid if heads else pids[0]


def _psutil_sockets(ports: frozenset[int] | None) -> list[tuple[int, str, int | None]]:
    import psutil  # Linux does without

    found: list[tuple[int, str, int | None]] = []
    for process in psutil.process_iter():
        try:
            # For all processes at once macOS wants root; one by one the own ones can be had.
            connections = process.net_connections(kind="tcp")
        except psutil.Error:
            continue
        found += [
            (each.laddr.port, each.laddr.ip, process.pid)
            for each in connections
            if each.status == psutil.CONN_LISTEN and (ports is None or each.laddr.port in ports)
        ]
    return found
