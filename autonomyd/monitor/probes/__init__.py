"""The probes, one file each. A new check is one file, one test, one line in CHECKS (or an entry point
`autonomyd.probes`)."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points

from autonomyd.monitor.probe import CheckProbe
from autonomyd.monitor.probes.certificate import CertificateProbe
from autonomyd.monitor.probes.command import CommandProbe
from autonomyd.monitor.probes.container import ContainerProbe
from autonomyd.monitor.probes.directory import DirectoryProbe
from autonomyd.monitor.probes.dns import DnsProbe
from autonomyd.monitor.probes.file import FileProbe
from autonomyd.monitor.probes.heartbeat import HeartbeatProbe
from autonomyd.monitor.probes.http import HttpProbe
from autonomyd.monitor.probes.log import LogProbe
from autonomyd.monitor.probes.mount import MountProbe
from autonomyd.monitor.probes.mysql import MysqlProbe
from autonomyd.monitor.probes.network import NetworkProbe
from autonomyd.monitor.probes.ping import PingProbe
from autonomyd.monitor.probes.postgres import PostgresProbe
from autonomyd.monitor.probes.redis import RedisProbe
from autonomyd.monitor.probes.sqlite import SqliteProbe
from autonomyd.monitor.probes.tcp import TcpProbe
from autonomyd.monitor.probes.unit import UnitProbe
from autonomyd.settings.service import CheckSettings

CHECKS: tuple[type[CheckProbe], ...] = (
    HttpProbe,
    TcpProbe,
    CommandProbe,
    FileProbe,
    HeartbeatProbe,
    ContainerProbe,
    LogProbe,
    MountProbe,
    DirectoryProbe,
    CertificateProbe,
    DnsProbe,
    PingProbe,
    NetworkProbe,
    UnitProbe,
    RedisProbe,
    PostgresProbe,
    MysqlProbe,
    SqliteProbe,
)


@cache
def check_probes() -> Mapping[str, type[CheckProbe]]:
    """Every kind of check by its `type`: the bundled ones and those that installed packages add."""
    found = {probe.kind: probe for probe in CHECKS}
    for entry in entry_points(group="autonomyd.probes"):
        probe = entry.load()
        found.setdefault(probe.kind, probe)
    return found


def check_kinds() -> Mapping[str, type[CheckSettings]]:
    """What the configuration may say of each kind of check."""
    return {kind: probe.Options for kind, probe in check_probes().items()}
