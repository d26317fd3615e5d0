"""The machine's metrics: CPU by state, load, memory, pressure, network and disks, in well under 5 ms a look. It
measures and judges nothing; rates come from the difference to the look before."""

import asyncio
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from autonomyd.aio.clock import Clock
from autonomyd.aio.offload import in_thread
from autonomyd.host.machine_counters import CpuSeconds, HostCounters
from autonomyd.host.mounts import Mount, MountTable, disks, remotes
from autonomyd.model.reading import MetricSpec
from autonomyd.model.subject import HOST, Subject

if sys.platform == "linux":
    from autonomyd.host.machine_linux import CounterSource
else:
    from autonomyd.host.machine_psutil import CounterSource

KB = 1024
MB = 1048576
SHORTEST_SPAN_S = 0.05
"""Two looks closer than this give no rates: the kernel counts CPU in steps of 10 ms."""

_UNITS = {"_percent": "%", ".percent": "%", "_mb": "MB", "kb_s": "KB/s", "_s": "1/s"}
_NAMES = (
    "cpu.percent",
    "cpu.user_percent",
    "cpu.system_percent",
    "cpu.iowait_percent",
    "cpu.steal_percent",
    "cpu.idle_percent",
    "load.1",
    "load.5",
    "load.15",
    "load.per_core",
    "memory.percent",
    "memory.used_mb",
    "memory.available_mb",
    "swap.percent",
    "swap.used_mb",
    "fds.used_percent",
    "pressure.cpu_some_percent",
    "pressure.memory_some_percent",
    "pressure.memory_full_percent",
    "pressure.io_some_percent",
    "pressure.io_full_percent",
    "network.receive_kb_s",
    "network.send_kb_s",
    "network.errors_s",
    "network.drops_s",
    "disk.read_kb_s",
    "disk.write_kb_s",
    "disk.busy_percent",
    "disk.used_percent",
    "disk.free_mb",
    "disk.inodes_used_percent",
)


def _unit(name: str) -> str:
    return next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")


METRICS: tuple[MetricSpec, ...] = tuple(MetricSpec(name=name, unit=_unit(name)) for name in _NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """One look at the machine. `at` is monotonic seconds; `values` maps subject (`host`, `disk:/var`) to metric to
    value; what could not be read is absent, and named in `unknown` with the reason (once a source, not a metric)."""

    at: float
    values: Mapping[Subject, Mapping[str, float]]
    unknown: tuple[str, ...] = ()


def disk_subject(point: str) -> Subject:
    """The subject of the filesystem mounted at `point`."""
    return Subject(f"disk:{point}")


class HostCollector:
    """Looks at the machine again and again. The first look has no rates: since boot would be an answer to another
    question. One thread at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ignored: tuple[str, ...] = ()
        self._network = True
        self._source = CounterSource()
        self._mounts = MountTable()
        self._disks: tuple[Mount, ...] = ()
        self._remotes: tuple[Mount, ...] = ()
        self._hung: dict[str, asyncio.Task[dict[str, float]]] = {}
        self._last: tuple[float, HostCounters] | None = None

    def restrict(self, *, ignore_disks: tuple[str, ...], network: bool) -> None:
        """Leave out mount points that match a pattern of `ignore_disks` (`*` stands for anything), and the traffic of
        interfaces unless `network`."""
        self._ignored = ignore_disks
        self._network = network

    def collect(self) -> HostFacts:
        """The host and its local disks. Waits for no network mount and never raises OSError."""
        now = self._clock.monotonic()
        counters = self._source.read()
        values = dict(counters.gauges)
        if self._last is None:
            self._last = (now, counters)
        elif now - self._last[0] >= SHORTEST_SPAN_S:
            values.update(rates(self._last[1], counters, now - self._last[0]))
            self._last = (now, counters)
        if not self._network:
            values = {name: value for name, value in values.items() if not name.startswith("network.")}
        found: dict[Subject, Mapping[str, float]] = {HOST: values}
        unknown = [*counters.unknown, *self._look_at_mounts()]
        for mount in self._wanted(self._disks):
            try:
                found[disk_subject(mount.point)] = disk_values(mount.point)
            except OSError as error:
                unknown.append(f"{mount.point}: {error.strerror}")
        return HostFacts(at=now, values=found, unknown=tuple(unknown))

    async def collect_remote(self, *, timeout_s: float) -> HostFacts:
        """The network mounts, each in a thread of its own. One that does not answer in time is named in `unknown`, and
        is not asked again before it answered: a hung server costs one thread, not one a look."""
        self._look_at_mounts()
        points = [mount.point for mount in self._wanted(self._remotes)]
        for point in points:
            if point not in self._hung:
                self._hung[point] = asyncio.ensure_future(in_thread(lambda point=point: disk_values(point)))  # type: ignore[misc]
        waiting = [self._hung[point] for point in points]
        if waiting:
            await asyncio.wait(waiting, timeout=timeout_s)
        found: dict[Subject, Mapping[str, float]] = {}
        unknown = []
        for point in points:
            if not self._hung[point].done():
                unknown.append(f"{point}: the network mount does not answer")
                continue
            try:
                found[disk_subject(point)] = self._hung.pop(point).result()
            except OSError as error:
                unknown.append(f"{point}: {error.strerror}")
        return HostFacts(at=self._clock.monotonic(), values=found, unknown=tuple(unknown))

    def close(self) -> None:
        """Let go of the files and of threads that hang."""
        for task in self._hung.values():
            task.cancel()
        self._hung.clear()
        self._source.close()
        self._mounts.close()

    def _wanted(self, mounts: tuple[Mount, ...]) -> Iterable[Mount]:
        return (each for each in mounts if not any(fnmatchcase(each.point, pattern) for pattern in self._ignored))

    def _look_at_mounts(self) -> Iterable[str]:
        try:
            mounts, changed = self._mounts.read()
        except OSError as error:
            return (f"mounts: {error.strerror}",)
        if changed:
            self._disks, self._remotes = disks(mounts), remotes(mounts)
        return ()


def disk_values(point: str) -> dict[str, float]:
    """The filesystem at `point` as metrics; raises OSError. Used is a share of what users can fill, as `df` counts."""
    fs = os.statvfs(point)
    used = fs.f_blocks - fs.f_bfree
    fillable = used + fs.f_bavail
    values = {
        "disk.used_percent": 100.0 * used / fillable if fillable else 0.0,
        "disk.free_mb": fs.f_bavail * fs.f_frsize / MB,
    }
    if fs.f_files:  # some filesystems make inodes as they need them and tell none
        values["disk.inodes_used_percent"] = 100.0 * (fs.f_files - fs.f_ffree) / fs.f_files
    return values


def disk_bytes(path: str) -> tuple[int, int]:
    """(used, fillable) bytes of the filesystem on which `path` lies, as `df` counts; raises OSError."""
    fs = os.statvfs(path)
    used = fs.f_blocks - fs.f_bfree
    return used * fs.f_frsize, (used + fs.f_bavail) * fs.f_frsize


def rates(last: HostCounters, this: HostCounters, span_s: float) -> dict[str, float]:
    """The metrics that are differences over `span_s` seconds."""
    values = {}
    if last.cpu is not None and this.cpu is not None:
        values.update(cpu_shares(last.cpu, this.cpu))
    if this.network:
        # Interface by interface: one that went away or started over at zero must not make the sum negative.
        grown = [0, 0, 0, 0]
        for name, now in this.network.items():
            for index, before in enumerate(last.network.get(name, now)):
                grown[index] += max(0, now[index] - before)
        values["network.receive_kb_s"] = grown[0] / KB / span_s
        values["network.send_kb_s"] = grown[1] / KB / span_s
        values["network.errors_s"] = grown[2] / span_s
        values["network.drops_s"] = grown[3] / span_s
    if this.disks:
        both = [(last.disks.get(name, now), now) for name, now in this.disks.items()]
        values["disk.read_kb_s"] = sum(max(0, now[0] - before[0]) for before, now in both) / KB / span_s
        values["disk.write_kb_s"] = sum(max(0, now[1] - before[1]) for before, now in both) / KB / span_s
        busiest = max(max(0.0, now[2] - before[2]) for before, now in both)
        values["disk.busy_percent"] = min(100.0, 100.0 * busiest / span_s)
    return values


def cpu_shares(last: CpuSeconds, this: CpuSeconds) -> dict[str, float]:
    """Percent of all cores by state; nothing when no time passed. Waiting for I/O is not work, stolen time is."""
    spent = {
        state: max(0.0, getattr(this, state) - getattr(last, state))  # the kernel lets iowait run backwards at times
        for state in ("user", "system", "iowait", "steal", "idle")
    }
    total = sum(spent.values())
    if not total:
        return {}
    values = {f"cpu.{state}_percent": 100.0 * part / total for state, part in spent.items()}
    values["cpu.percent"] = 100.0 * (total - spent["idle"] - spent["iowait"]) / total
    return values
