"""Which service talks to which: the TCP connections on this machine, by the processes that hold their two ends. It only
reads. For a thread."""

import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from autonomyd.host.process import tree_pids
from autonomyd.host.sock_diag import Connection, established_sockets, listening_sockets

MOST_CONNECTIONS = 20_000
"""Connections of the machine that are looked at; of a busier one only a part is seen, which is said."""
MOST_SOCKETS = 2_000
"""Descriptors of one service that are looked at."""
_SOCKET = re.compile(r"socket:\[(\d+)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A process of the service `child` has a connection to `port`, on which `parent` listens."""

    child: str
    parent: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """`unseen` says in words what could not be looked at."""

    links: tuple[Link, ...] = ()
    unseen: tuple[str, ...] = ()


def links_between(mains: Mapping[str, int]) -> Links:
    """The connections between services, each given by its name and the pid of its main process. One that has ended
    meanwhile has none. Raises nothing: what can't be read is told in `unseen`."""
    if sys.platform != "linux":
        return Links(unseen=("connections are read on Linux only",))
    try:
        listening = {inode: port for port, _, inode in listening_sockets()}
        connections = established_sockets(MOST_CONNECTIONS)
    except OSError as error:
        return Links(unseen=(f"the kernel does not tell its connections: {error}",))
    unseen = [f"only {MOST_CONNECTIONS} connections were looked at"] if len(connections) >= MOST_CONNECTIONS else []
    owners: dict[str, str] = {}
    for name, pid in mains.items():
        inodes, whole = _sockets_of(tree_pids(pid))
        owners |= dict.fromkeys(inodes, name)
        if not whole:
            unseen.append(f"{name}: not every process or socket of it may be seen")
    return Links(links=matched(connections, listening, owners), unseen=tuple(unseen))


def matched(
    connections: Iterable[Connection], listening: Mapping[str, int], owners: Mapping[str, str]
) -> tuple[Link, ...]:
    """The links among `connections`: both ends are on this machine (each end is a row of its own, the other way round),
    and held by two services, one of which listens on the port. `listening` maps an inode to its port, `owners` an inode
    to its service."""
    serves = {(name, port) for inode, port in listening.items() if (name := owners.get(inode)) is not None}
    ends = {(each.address, each.port, each.peer, each.peer_port): owners.get(each.inode) for each in connections}
    found: dict[Link, None] = {}
    for (address, port, peer, peer_port), child in ends.items():
        parent = ends.get((peer, peer_port, address, port))
        if child is not None and parent is not None and child != parent and (parent, peer_port) in serves:
            found[Link(child=child, parent=parent, port=peer_port)] = None
    return tuple(found)


def _sockets_of(pids: Iterable[int]) -> tuple[list[str], bool]:
    """The inodes of the sockets that processes hold, at most MOST_SOCKETS, and whether all of them could be seen."""
    found: list[str] = []
    whole = True
    for pid in pids:
        try:
            with os.scandir(f"/proc/{pid}/fd") as entries:
                for entry in entries:
                    match = _SOCKET.match(os.readlink(entry.path))
                    if match is None:
                        continue
                    if len(found) >= MOST_SOCKETS:
                        return found, False
                    found.append(match[1])
        except PermissionError:
            whole = False
        except OSError:
            continue  # it has ended
    return found, whole
