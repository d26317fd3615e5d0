"""Who holds the ports of a service that does not run."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from autonomyd.aio.offload import in_thread
from autonomyd.engine.managed import ManagedService
from autonomyd.host.port_holders import Holder, holders_of
from autonomyd.model.facts import PortHolder
from autonomyd.model.issue import Issue
from autonomyd.model.service import RunState
from autonomyd.settings.service import ServiceSettings

LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0"})  # noqa: S104 - compared with, never bound
DEFAULT_PORTS = {
    "http": 80,
    "https": 443,
    "redis": 6379,
    "rediss": 6379,
    "postgresql": 5432,
    "postgres": 5432,
    "mysql": 3306,
}


def own_ports(settings: ServiceSettings, dependencies: frozenset[str] = frozenset()) -> frozenset[int]:
    """The ports that the service listens on: those it declares, else those of this machine that its checks ask.
    `dependencies` names the checks that ask something else."""
    if settings.ports:
        return frozenset(settings.ports)
    found: set[int] = set()
    for check in settings.checks:
        if check.name in dependencies:
            continue
        port = getattr(check, "port", None)
        if port is not None and getattr(check, "host", "") in LOCAL_HOSTS:
            found.add(port)
        url = getattr(check, "url", None) if check.type == "http" else None
        if url is not None:
            parts = urlsplit(str(url))
            if parts.hostname in LOCAL_HOSTS:
                found.add(parts.port or DEFAULT_PORTS.get(parts.scheme, 80))
    return frozenset(found)


class PortsReader:
    """Fills `Situation.ports`, only while the service has no process of its own."""

    field = "ports"

    def __init__(self, state_dir: Path, ports_of: Callable[[ServiceSettings], frozenset[int]] = own_ports) -> None:
        self._instance = str(state_dir)
        self._ports_of = ports_of

    def wants(self, issue: Issue, service: ManagedService | None) -> bool:
        return service is not None and service.run.state is RunState.GONE and bool(self._ports_of(service.settings))

    async def read(self, issue: Issue, service: ManagedService | None) -> tuple[PortHolder, ...]:
        assert service is not None
        ports = self._ports_of(service.settings)
        found = await in_thread(lambda: holders_of(ports, marker=f"{self._instance}/{service.name}"))
        return tuple(_fact(each, service) for each in found)


def _fact(holder: Holder, service: ManagedService) -> PortHolder:
    identity = holder.identity
    last = service.last_pid
    return PortHolder(
        port=holder.port,
        pid=None if identity is None else identity.pid,
        started=None if identity is None else identity.start_ticks,
        name=holder.name,
        # the session that the service itself led ends with its last member: nobody else can have got its number
        ours=holder.marked or (last is not None and holder.session == last),
        allowed=holder.name in service.settings.may_end,
    )
