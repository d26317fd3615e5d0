"""Reads the machine's counters from /proc, over files that stay open: a look is a handful of reads."""

import contextlib
import errno
import os

from autonomyd.host.machine_counters import CpuSeconds, HostCounters

KB_PER_MB = 1024
SECTOR_BYTES = 512
READ_BYTES = 65536
VIRTUAL_DISKS = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd")
"""Disks without a disk, or made of others that are counted already."""
ECHO_INTERFACES = ("veth", "br-", "docker", "virbr", "ifb", "cni", "flannel", "dummy", "bond", "team", "vnet")
"""Interfaces that carry the packets of others a second time."""
NO_LIMIT = 1 << 40
"""So many files no machine can open."""
PRESSURES = (
    ("cpu", {b"some": "pressure.cpu_some_percent"}),
    ("memory", {b"some": "pressure.memory_some_percent", b"full": "pressure.memory_full_percent"}),
    ("io", {b"some": "pressure.io_some_percent", b"full": "pressure.io_full_percent"}),
)


class CounterSource:
    """The counters of this Linux. Not for two threads at once."""

    __slots__ = ("_cores", "_files", "_whole_disks")

    def __init__(self) -> None:
        self._files: dict[str, int] = {}
        self._whole_disks: dict[bytes, bool] = {}
        self._cores = os.cpu_count() or 1

    def read(self) -> HostCounters:
        """The counters now. Never raises OSError: what can't be read is named in `unknown`."""
        gauges: dict[str, float] = {}
        unknown: list[str] = []
        stat = self._text("/proc/stat", unknown)
        load = self._text("/proc/loadavg", unknown)
        memory = self._text("/proc/meminfo", unknown)
        network = self._text("/proc/net/dev", unknown)
        disks = self._text("/proc/diskstats", unknown)
        if load:
            gauges.update(parse_load(load, self._cores))
        if memory:
            gauges.update(parse_memory(memory))
        files = self._text("/proc/sys/fs/file-nr", unknown)
        if files:
            gauges.update(parse_open_files(files))
        for name, lines in PRESSURES:
            text = self._text(f"/proc/pressure/{name}", unknown)
            if text:
                gauges.update(parse_pressure(text, lines))
        return HostCounters(
            cpu=parse_cpu(stat) if stat else None,
            network=parse_network(network),
            disks=self._disks(disks),
            gauges=gauges,
            unknown=tuple(unknown),
        )

    def close(self) -> None:
        """Let go of the files."""
        for handle in self._files.values():
            os.close(handle)
        self._files.clear()

    def _text(self, path: str, unknown: list[str]) -> bytes:
        handle = self._files.get(path)
        try:
            if handle is None:
                handle = self._files[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            return _read_all(handle)
        except OSError as error:
            if handle is not None:
                with contextlib.suppress(OSError):
                    os.close(handle)
                del self._files[path]
            unknown.append(f"{path}: {_reason(error)}")
            return b""

    def _disks(self, text: bytes) -> dict[str, tuple[int, int, float]]:
        found = {}
        for line in text.splitlines():
            field = line.split(None, 13)
            if len(field) < 13 or not self._is_whole(field[2]):
                continue
            found[field[2].decode()] = (
                int(field[5]) * SECTOR_BYTES,
                int(field[9]) * SECTOR_BYTES,
                int(field[12]) / 1000.0,
            )
        return found

    def _is_whole(self, name: bytes) -> bool:
        known = self._whole_disks.get(name)
        if known is None:
            text = name.decode()
            # /sys/block holds whole disks only; the kernel writes a `/` in a disk's name as `!` there.
            known = not text.startswith(VIRTUAL_DISKS) and os.path.exists(f"/sys/block/{text.replace('/', '!')}")
            self._whole_disks[name] = known
        return known


def parse_cpu(text: bytes) -> CpuSeconds:
    """The first line of /proc/stat. Time of guests is part of `user` there already."""
    field = [int(each) for each in text[: text.index(b"\n")].split()[1:9]]
    field += [0] * (8 - len(field))
    user, nice, system, idle, iowait, irq, softirq, steal = field
    return CpuSeconds(user=user + nice, system=system + irq + softirq, idle=idle, iowait=iowait, steal=steal)


def parse_load(text: bytes, cores: int) -> dict[str, float]:
    """/proc/loadavg as metrics."""
    one, five, fifteen = (float(each) for each in text.split(None, 3)[:3])
    return {"load.1": one, "load.5": five, "load.15": fifteen, "load.per_core": one / cores}


def parse_memory(text: bytes) -> dict[str, float]:
    """/proc/meminfo as metrics; `used` is what is not available, so that used and available make the total."""
    kb = {}
    for line in text.splitlines():
        name, _, rest = line.partition(b":")
        if name in _MEMORY_LINES:
            kb[name] = int(rest.split()[0])
    total = kb.get(b"MemTotal", 0)
    if not total:
        return {}
    # Kernels before 3.14 do not say what is available.
    available = kb.get(b"MemAvailable", kb.get(b"MemFree", 0) + kb.get(b"Cached", 0) + kb.get(b"Buffers", 0))
    swap = kb.get(b"SwapTotal", 0)
    swap_used = swap - kb.get(b"SwapFree", 0)
    return {
        "memory.percent": 100.0 * (total - available) / total,
        "memory.used_mb": (total - available) / KB_PER_MB,
        "memory.available_mb": available / KB_PER_MB,
        "swap.percent": 100.0 * swap_used / swap if swap else 0.0,
        "swap.used_mb": swap_used / KB_PER_MB,
    }


def parse_open_files(text: bytes) -> dict[str, float]:
    """/proc/sys/fs/file-nr (open, free, most) as a metric; nothing where the kernel sets no limit worth the name."""
    used, free, most = (int(each) for each in text.split()[:3])
    return {"fds.used_percent": 100.0 * (used - free) / most} if 0 < most < NO_LIMIT else {}


def parse_pressure(text: bytes, wanted: dict[bytes, str]) -> dict[str, float]:
    """The 10 s averages of one /proc/pressure file, by the metric names in `wanted`."""
    found = {}
    for line in text.splitlines():
        kind, _, rest = line.partition(b" avg10=")
        if kind in wanted:
            found[wanted[kind]] = float(rest.split(b" ", 1)[0])
    return found


def parse_network(text: bytes) -> dict[str, tuple[int, int, int, int]]:
    """/proc/net/dev: (received bytes, sent bytes, errors, drops) by interface, without loopback and echoes."""
    found = {}
    for line in text.splitlines()[2:]:
        name, _, rest = line.partition(b":")
        interface = name.strip().decode()
        if interface == "lo" or interface.startswith(ECHO_INTERFACES):
            continue
        field = rest.split()
        found[interface] = (
            int(field[0]),
            int(field[8]),
            int(field[2]) + int(field[10]),
            int(field[3]) + int(field[11]),
        )
    return found


_MEMORY_LINES = frozenset({b"MemTotal", b"MemFree", b"MemAvailable", b"Buffers", b"Cached", b"SwapTotal", b"SwapFree"})


def _read_all(handle: int) -> bytes:
    raw = os.pread(handle, READ_BYTES, 0)
    while raw and (more := os.pread(handle, READ_BYTES, len(raw))):
        raw += more
    return raw


def _reason(error: OSError) -> str:
    if error.errno == errno.EOPNOTSUPP:
        return "switched off in this kernel"
    if error.errno == errno.ENOENT:
        return "not in this kernel"
    return error.strerror or str(error)
