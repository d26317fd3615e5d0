"""Who needs whom: the services, and the dependencies between them that were declared or that were seen."""

from dataclasses import dataclass, field
from enum import StrEnum


class EdgeKind(StrEnum):
    """How a dependency is known. `declared`: the configuration says so; only such a one makes the daemon hold, order or
    restart anything. `connection`: a process of the one talks to a port of the other. `unit`: systemd requires it.
    `stack`: the description of the containers does."""

    DECLARED = "declared"
    CONNECTION = "connection"
    UNIT = "unit"
    STACK = "stack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """`child` needs `parent`. `how` it is known, in words; `seen_at` epoch seconds of the last look that showed it
    (None for a declared one)."""

    child: str
    parent: str
    kind: EdgeKind
    how: str
    seen_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphNode:
    """A service in the graph. `state` as `autonomyctl status` shows it; `groups` are the container stacks and networks
    that it shares with others."""

    name: str
    state: str = "unknown"
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphReport:
    """The whole graph. `unseen` maps what could not be looked at to why."""

    nodes: tuple[GraphNode, ...]
    edges: tuple[Edge, ...]
    unseen: tuple[str, ...] = field(default=())
