"""What the machine's counters stand at: the raw material of rates, the same on every system. No reading here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuSeconds:
    """Seconds (any unit, only shares are used) all cores spent so far. `user` includes niced work and guests, `system`
    includes interrupts."""

    user: float
    system: float
    idle: float
    iowait: float = 0.0
    steal: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCounters:
    """One look. `network` maps interface to (received bytes, sent bytes, errors, drops), `disks` maps disk to (read
    bytes, written bytes, busy seconds), all since boot; `gauges` holds the metrics that are values by themselves.
    `unknown` names what could not be read, with the reason."""

    cpu: CpuSeconds | None
    network: Mapping[str, tuple[int, int, int, int]]
    disks: Mapping[str, tuple[int, int, float]]
    gauges: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    unknown: tuple[str, ...] = ()
