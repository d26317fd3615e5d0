"""The dependency graph as it is known now: what the configuration declares, and what was seen at the last looks. What
was only seen explains and groups; it never makes the daemon start, stop, hold or order anything."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.aio.offload import in_thread
from autonomyd.analyze.graph import ServiceGraph
from autonomyd.engine.managed import ManagedService
from autonomyd.engine.services import ServiceKeeper
from autonomyd.host.containers.engines import ContainerEngines
from autonomyd.model.graph import Edge, EdgeKind, GraphNode, GraphReport
from autonomyd.model.service import RunState
from autonomyd.settings.container import ContainerControl
from autonomyd.settings.control import SystemdControl

KEPT_S = 24 * 3600.0
"""A connection that was seen is believed for a day: a client that asks once an hour has none most of the time."""
STATIC_EVERY_S = 600.0
"""Units and stacks change when a person changes them."""
UNITS_TIMEOUT_S = 5.0
MOST_EDGES = 2_000

log = structlog.get_logger(__name__)

Seen = dict[tuple[str, str, EdgeKind], Edge]


class GraphKeeper:
    """`tick` at every turn of the insight loop; `graph` whenever somebody wants to know."""

    def __init__(self, *, clock: Clock, keeper: ServiceKeeper, containers: ContainerEngines) -> None:
        self._clock = clock
        self._keeper = keeper
        self._containers = containers
        self._seen: Seen = {}
        self._groups: dict[str, tuple[str, ...]] = {}
        self._unseen: dict[str, tuple[str, ...]] = {}
        self._static_at: float | None = None
        self._known: frozenset[str] = frozenset()
        self._made: tuple[tuple[object, ...], ServiceGraph] | None = None

    def graph(self) -> ServiceGraph:
        """The graph of the services that are configured now."""
        declared = tuple((name, each.settings.depends_on) for name, each in self._keeper.services.items())
        key = (declared, tuple(self._seen.values()))
        if self._made is None or self._made[0] != key:
            edges = [
                Edge(child=name, parent=parent, kind=EdgeKind.DECLARED, how="declared: depends_on")
                for name, parents in declared
                for parent in parents
            ]
            self._made = (key, ServiceGraph(self._keeper.services, [*edges, *self._seen.values()]))
        return self._made[1]

    def report(self) -> GraphReport:
        """For `autonomyctl graph`."""
        graph = self.graph()
        return GraphReport(
            nodes=tuple(
                GraphNode(name=name, state=each.state.value, groups=self._groups.get(name, ()))
                for name, each in self._keeper.services.items()
            ),
            edges=graph.edges,
            unseen=tuple(dict.fromkeys(line for lines in self._unseen.values() for line in lines)),
        )

    async def tick(self) -> None:
        """Look once: connections every time, units and stacks now and then, or when the services are others."""
        services = dict(self._keeper.services)
        self._drop_old(services)
        if len(services) < 2:
            return  # nobody to depend on
        await self._connections(services)
        now = self._clock.monotonic()
        names = frozenset(services)
        if self._static_at is not None and now - self._static_at < STATIC_EVERY_S and names == self._known:
            return
        self._static_at, self._known = now, names
        await self._units(services)
        await self._stacks(services)

    async def _connections(self, services: Mapping[str, ManagedService]) -> None:
        from autonomyd.host.connections import links_between  # only where there are services

        mains = {
            name: each.run.pid
            for name, each in services.items()
            if each.run.pid is not None and each.run.state is RunState.RUNNING
        }
        found = await in_thread(lambda: links_between(mains))
        self._unseen["connections"] = found.unseen
        for link in found.links:
            self._see(link.child, link.parent, EdgeKind.CONNECTION, f"seen: it is connected to port {link.port}")

    async def _units(self, services: Mapping[str, ManagedService]) -> None:
        from autonomyd.host.unit_facts import unit_needs

        units = {
            each.settings.control.unit: name
            for name, each in services.items()
            if isinstance(each.settings.control, SystemdControl)
        }
        if len(units) < 2:
            self._forget(EdgeKind.UNIT)
            self._unseen.pop("units", None)
            return
        try:
            needs = await unit_needs(tuple(units), timeout_s=UNITS_TIMEOUT_S)
        except OSError as error:
            self._unseen["units"] = (str(error),)
            return
        self._unseen.pop("units", None)
        self._forget(EdgeKind.UNIT)
        for each in needs:
            if each.unit in units and each.other in units:
                after = " and After" if each.ordered else ""
                self._see(
                    units[each.unit], units[each.other], EdgeKind.UNIT, f"systemd: {each.how}{after}={each.other}"
                )

    async def _stacks(self, services: Mapping[str, ManagedService]) -> None:
        sockets: dict[str | None, dict[str, str]] = {}
        for name, each in services.items():
            control = each.settings.control
            if isinstance(control, ContainerControl):
                sockets.setdefault(control.socket, {})[name] = control.name
        contained = {name for named in sockets.values() for name in named}
        self._forget(EdgeKind.STACK, services.keys() - contained)
        self._groups = {name: groups for name, groups in self._groups.items() if name in contained}
        self._unseen.pop("stacks", None)
        if not sockets:
            return
        from autonomyd.host.containers.api import EngineFailure
        from autonomyd.host.containers.stacks import stack_members

        for socket, named in sockets.items():
            try:
                members = await stack_members(self._containers.of(socket).api)
            except EngineFailure as error:  # what was seen of its containers stays known
                self._unseen["stacks"] = (f"the container engine can't be asked: {error}",)
                continue
            self._forget(EdgeKind.STACK, named)
            ours = {name: each for each in members for name, called in named.items() if each.is_named(called)}
            for name, member in ours.items():
                stack = (f"stack {member.project}",) if member.project else ()
                self._groups[name] = (*stack, *(f"network {each}" for each in member.networks))
                for other, its in ours.items():
                    if member.project and its.project == member.project and its.service in member.needs:
                        self._see(name, other, EdgeKind.STACK, f"stack {member.project}: depends_on {its.service}")

    def _see(self, child: str, parent: str, kind: EdgeKind, how: str) -> None:
        key = (child, parent, kind)
        edge = Edge(child=child, parent=parent, kind=kind, how=how, seen_at=self._clock.wall())
        if key not in self._seen:
            if len(self._seen) >= MOST_EDGES or child == parent:
                return
            log.info("dependency_seen", service=child, needs=parent, how=how)
        self._seen[key] = edge

    def _forget(self, kind: EdgeKind, children: Collection[str] | None = None) -> None:
        """Let go of what was seen of a kind, of `children` alone where some are named."""
        self._seen = {
            key: edge
            for key, edge in self._seen.items()
            if key[2] is not kind or (children is not None and key[0] not in children)
        }

    def _drop_old(self, services: Mapping[str, ManagedService]) -> None:
        """Connections of long ago, and edges of services that are configured no more. A clock that was set back makes
        nothing old."""
        wall = self._clock.wall()
        kept: Seen = {}
        for key, edge in self._seen.items():
            age_s = wall - (edge.seen_at or wall)
            old = edge.kind is EdgeKind.CONNECTION and age_s > KEPT_S
            if edge.child in services and edge.parent in services and not old:
                kept[key] = replace(edge, seen_at=wall) if age_s < 0.0 else edge
        self._seen = kept
