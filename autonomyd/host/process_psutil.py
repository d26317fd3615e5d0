"""Reads processes through psutil, for systems without Linux's /proc. Slower; the types are the same."""

import time

import psutil

from autonomyd.host.process_facts import ProcessFacts, hidden

TICKS_PER_S = 100
STATES = {
    psutil.STATUS_RUNNING: "R",
    psutil.STATUS_SLEEPING: "S",
    psutil.STATUS_DISK_SLEEP: "D",
    psutil.STATUS_STOPPED: "T",
    psutil.STATUS_TRACING_STOP: "t",
    psutil.STATUS_ZOMBIE: "Z",
    psutil.STATUS_DEAD: "X",
    psutil.STATUS_IDLE: "I",
}


def read_process(pid: int) -> ProcessFacts | None:
    """The process `pid`, or None when it is gone. One that may not be looked at has `unknown` set."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            started_at = process.create_time()
            state = STATES.get(process.status(), "S")
            ppid, name = process.ppid(), process.name()
            times = process.cpu_times() if state != "Z" else None
            return ProcessFacts(
                pid=pid,
                ppid=ppid,
                name=name,
                state=state,
                cpu_s=times.user + times.system if times else 0.0,
                reaped_cpu_s=0.0,
                threads=process.num_threads() if times else 1,
                start_ticks=round(started_at * TICKS_PER_S),
                rss_bytes=process.memory_info().rss if times else 0,
                started_at=started_at,
            )
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        return hidden(pid, f"no permission to read process {pid}")


def booted_at() -> float:
    """Epoch seconds of the boot."""
    return float(psutil.boot_time())


def uptime_s(facts: ProcessFacts) -> float:
    """Seconds since the process started, by the wall clock: there is no other here."""
    return max(0.0, time.clock_gettime(time.CLOCK_REALTIME) - facts.started_at)


def child_pids(pid: int, threads: int) -> list[int] | None:
    """Never listed per process here: the caller scans for parents."""
    return None


def wants_to_run(pid: int) -> bool:
    """Whether `pid` runs or waits for a processor at this very moment."""
    facts = read_process(pid)
    return facts is not None and facts.state == "R"


def count_fds(pid: int) -> int:
    """Open descriptors of `pid`; raises OSError."""
    try:
        return psutil.Process(pid).num_fds()
    except psutil.NoSuchProcess as gone:
        raise ProcessLookupError(pid) from gone
    except psutil.AccessDenied as denied:
        raise PermissionError(pid) from denied


def pss_bytes(pid: int) -> int | None:
    """The memory that only this process has (USS): the nearest to PSS here. None when gone or not permitted."""
    try:
        return int(psutil.Process(pid).memory_full_info().uss)
    except psutil.Error:
        return None


def cmdline(pid: int) -> tuple[str, ...]:
    """The arguments; empty for one that is gone or may not be read."""
    try:
        return tuple(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ()


def environ_value(pid: int, name: str) -> str | None:
    """The variable's value when the process was started, None without one or without permission."""
    try:
        return psutil.Process(pid).environ().get(name)
    except psutil.Error:
        return None


def all_pids() -> tuple[int, ...]:
    """Every process that can be seen, ascending."""
    return tuple(psutil.pids())


def working_folder(pid: int) -> str | None:
    """The current folder, None when it is gone or may not be read."""
    try:
        return psutil.Process(pid).cwd()
    except psutil.Error:
        return None
