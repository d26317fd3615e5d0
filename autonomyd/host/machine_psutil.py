"""Reads the machine's counters through psutil, for systems without Linux's /proc."""

import os

import psutil

from autonomyd.host.machine_counters import CpuSeconds, HostCounters

MB = 1048576


class CounterSource:
    """The counters of this machine as far as psutil has them."""

    __slots__ = ("_cores",)

    def __init__(self) -> None:
        self._cores = os.cpu_count() or 1

    def read(self) -> HostCounters:
        """The counters now. What can't be read is named in `unknown`."""
        unknown = [] if hasattr(psutil, "LINUX") and psutil.LINUX else ["pressure: not on this system"]
        one, five, fifteen = psutil.getloadavg()
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        gauges = {
            "load.1": one,
            "load.5": five,
            "load.15": fifteen,
            "load.per_core": one / self._cores,
            "memory.percent": 100.0 * (memory.total - memory.available) / memory.total,
            "memory.used_mb": (memory.total - memory.available) / MB,
            "memory.available_mb": memory.available / MB,
            "swap.percent": float(swap.percent),
            "swap.used_mb": swap.used / MB,
        }
        return HostCounters(
            cpu=_cpu(),
            network=_network(),
            disks=_disks(unknown),
            gauges=gauges,
            unknown=tuple(unknown),
        )

    def close(self) -> None:
        """Nothing is kept open."""


def _cpu() -> CpuSeconds:
    times = psutil.cpu_times()
    return CpuSeconds(
        user=times.user + getattr(times, "nice", 0.0),
        system=times.system + getattr(times, "irq", 0.0) + getattr(times, "softirq", 0.0),
        idle=times.idle,
        iowait=getattr(times, "iowait", 0.0),
        steal=getattr(times, "steal", 0.0),
    )


def _network() -> dict[str, tuple[int, int, int, int]]:
    return {
        name: (each.bytes_recv, each.bytes_sent, each.errin + each.errout, each.dropin + each.dropout)
        for name, each in psutil.net_io_counters(pernic=True).items()
        if not name.startswith(("lo", "utun", "bridge", "awdl", "llw"))
    }


def _disks(unknown: list[str]) -> dict[str, tuple[int, int, float]]:
    counters = psutil.disk_io_counters(perdisk=True)
    if not counters:
        unknown.append("disk counters: not on this system")
        return {}
    return {
        name: (each.read_bytes, each.write_bytes, getattr(each, "busy_time", 0) / 1000.0)
        for name, each in counters.items()
    }
