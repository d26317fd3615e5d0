"""Reads processes from /proc: one read of /proc/PID/stat says nearly everything. Must not keep anything open."""

import os
import time

from autonomyd.host.process_facts import ProcessFacts, hidden

TICKS_PER_S: int = os.sysconf("SC_CLK_TCK")
PAGE_BYTES: int = os.sysconf("SC_PAGE_SIZE")
STAT_BYTES = 4096
CMDLINE_BYTES = 131072
ENVIRON_BYTES = 1048576


def read_process(pid: int) -> ProcessFacts | None:
    """The process `pid`, or None when it is gone. One that may not be looked at has `unknown` set."""
    try:
        raw = read_bytes(f"/proc/{pid}/stat", STAT_BYTES)
    except PermissionError:
        return hidden(pid, f"no permission to read process {pid}")
    except (FileNotFoundError, ProcessLookupError):
        return _hidden_or_gone(pid)
    return parse_stat(pid, raw, booted_at())


def parse_stat(pid: int, raw: bytes, boot: float) -> ProcessFacts | None:
    """The facts in a /proc/PID/stat line; None when it is empty (the process went while being read). The name stands in
    parentheses and may itself hold spaces and parentheses, so the last `)` ends it."""
    end = raw.rfind(b")")
    if end < 0:
        return None
    field = raw[end + 2 :].split(None, 22)
    start_ticks = int(field[19])
    return ProcessFacts(
        pid=pid,
        ppid=int(field[1]),
        name=raw[raw.index(b"(") + 1 : end].decode("utf-8", "replace"),
        state=chr(field[0][0]),
        cpu_s=(int(field[11]) + int(field[12])) / TICKS_PER_S,
        reaped_cpu_s=(int(field[13]) + int(field[14])) / TICKS_PER_S,
        threads=int(field[17]),
        start_ticks=start_ticks,
        rss_bytes=int(field[21]) * PAGE_BYTES,
        started_at=boot + start_ticks / TICKS_PER_S,
    )


def booted_at() -> float:
    """Epoch seconds of the boot by the wall clock as it is now. Not kept: the wall clock may be set after the start."""
    return time.clock_gettime(time.CLOCK_REALTIME) - time.clock_gettime(time.CLOCK_BOOTTIME)


def uptime_s(facts: ProcessFacts) -> float:
    """Seconds since the process started, on the clock on which the kernel counts that: setting the wall clock changes
    nothing."""
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - facts.start_ticks / TICKS_PER_S)


def child_pids(pid: int, threads: int) -> list[int] | None:
    """The children of all threads of `pid`, or None where the kernel does not list them."""
    try:
        tasks = [str(pid)] if threads <= 1 else os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    found: list[int] = []
    for task in tasks:
        try:
            raw = read_bytes(f"/proc/{pid}/task/{task}/children", STAT_BYTES)
        except FileNotFoundError:
            if not _lists_children():
                return None
        except OSError:
            pass
        else:
            found.extend(map(int, raw.split()))
    return found


def wants_to_run(pid: int) -> bool:
    """Whether a thread of `pid` runs or waits for a processor at this very moment."""
    try:
        threads = [read_process(int(task)) for task in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return False
    return any(thread is not None and thread.state == "R" for thread in threads)


def count_fds(pid: int) -> int:
    """Open descriptors of `pid`; raises OSError. Since Linux 6.2 the folder's size is their number."""
    folder = f"/proc/{pid}/fd"
    return os.stat(folder).st_size or len(os.listdir(folder))


def pss_bytes(pid: int) -> int | None:
    """The proportional memory, or None when the process is gone or may not be read. Walks all its pages: not for every
    second."""
    try:
        raw = read_bytes(f"/proc/{pid}/smaps_rollup", STAT_BYTES)
    except OSError:
        return None
    for line in raw.splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return None


def cmdline(pid: int) -> tuple[str, ...]:
    """The arguments; empty for a kernel thread, a zombie, one that is gone or may not be read."""
    try:
        raw = read_bytes(f"/proc/{pid}/cmdline", CMDLINE_BYTES)
    except OSError:
        return ()
    if not raw:
        return ()
    return tuple(part.decode("utf-8", "replace") for part in raw.removesuffix(b"\0").split(b"\0"))


def environ_value(pid: int, name: str) -> str | None:
    """The variable's value when the process was started, None without one or without permission."""
    try:
        raw = read_bytes(f"/proc/{pid}/environ", ENVIRON_BYTES)
    except OSError:
        return None
    wanted = name.encode() + b"="
    for entry in raw.split(b"\0"):
        if entry.startswith(wanted):
            return entry[len(wanted) :].decode("utf-8", "replace")
    return None


def all_pids() -> tuple[int, ...]:
    """Every process that can be seen, ascending."""
    return tuple(sorted(int(name) for name in os.listdir("/proc") if name.isdigit()))


def working_folder(pid: int) -> str | None:
    """The current folder, None when it is gone or may not be read."""
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return None


def read_bytes(path: str, limit: int) -> bytes:
    """Up to `limit` bytes of a /proc file; raises OSError. Long files come in pages, so one that fills half a read is
    read on."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        raw = os.read(handle, 4096)
        if len(raw) < 2048:
            return raw
        parts = [raw]
        total = len(raw)
        while raw and total < limit:
            raw = os.read(handle, min(65536, limit - total))
            parts.append(raw)
            total += len(raw)
        return b"".join(parts)
    finally:
        os.close(handle)


def _hidden_or_gone(pid: int) -> ProcessFacts | None:
    # With /proc mounted hidepid=2 a foreign process looks gone. Taking it for dead would start it a second time.
    try:
        os.kill(pid, 0)
    except PermissionError:
        return hidden(pid, f"process {pid} is hidden (/proc is mounted with hidepid)")
    except OSError:
        return None
    # It can be signalled, so it is ours or we are root: only a process that went in between lands here.
    return None


def _lists_children() -> bool:
    own = os.getpid()
    return os.path.exists(f"/proc/{own}/task/{own}/children")
