"""The probes, one file each. A new check is one file, one test, one line in CHECKS (or an entry point
`autonomyd.probes`). What no configuration names is not imported."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from autonomyd.monitor.probe import CheckProbe
from autonomyd.settings.service import CheckSettings

CHECKS: Mapping[str, str] = {
    "http": "HttpProbe",
    "tcp": "TcpProbe",
    "command": "CommandProbe",
    "file": "FileProbe",
    "heartbeat": "HeartbeatProbe",
    "container": "ContainerProbe",
    "log": "LogProbe",
    "mount": "MountProbe",
    "directory": "DirectoryProbe",
    "certificate": "CertificateProbe",
    "dns": "DnsProbe",
    "ping": "PingProbe",
    "network": "NetworkProbe",
    "unit": "UnitProbe",
    "redis": "RedisProbe",
    "postgres": "PostgresProbe",
    "mysql": "MysqlProbe",
    "sqlite": "SqliteProbe",
}
"""The bundled kinds; the class is in the module that has the kind's name."""

_T = TypeVar("_T")


class _Kinds(Mapping[str, _T]):
    """By kind, what `of` makes of its probe's class; imported when it is asked for."""

    def __init__(self, of: Callable[[type[CheckProbe]], _T]) -> None:
        self._of = of

    def __getitem__(self, kind: str) -> _T:
        return self._of(_probe(kind))

    def __contains__(self, kind: object) -> bool:
        return kind in CHECKS or kind in _added()

    def __iter__(self) -> Iterator[str]:
        return iter((*CHECKS, *(kind for kind in _added() if kind not in CHECKS)))

    def __len__(self) -> int:
        return len({*CHECKS, *_added()})


def check_probes() -> Mapping[str, type[CheckProbe]]:
    """Every kind of check by its `type`: the bundled ones and those that installed packages add."""
    return _Kinds(lambda probe: probe)


def check_kinds() -> Mapping[str, type[CheckSettings]]:
    """What the configuration may say of each kind of check."""
    return _Kinds(lambda probe: probe.Options)


@cache
def _probe(kind: str) -> type[CheckProbe]:
    if kind in CHECKS:
        found: type[CheckProbe] = getattr(import_module(f"{__name__}.{kind}"), CHECKS[kind])
        return found
    added: type[CheckProbe] = _added()[kind].load()
    return added


@cache
def _added() -> Mapping[str, EntryPoint]:
    """Named as their kinds by the packages that add them."""
    return {entry.name: entry for entry in entry_points(group="autonomyd.probes")}
