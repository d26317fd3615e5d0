"""The daemon's own cost of 10 and of 100 services, each looked at every second in every way: process, HTTP, heartbeat,
and bounds on memory, CPU, descriptors and children. The services are real processes that the daemon started."""

import statistics
import time
from pathlib import Path
from typing import Any

import proc
import running
from figure import Figure, Options

YARDSTICKS = {
    10: "Monit 787, supervisord 427, circus 4,025",
    100: "Monit 1,227, supervisord 19,366",
}
TARGETS_MS = {10: 600.0, 100: 3000.0}
GROWTH_TARGET_MB = 10.0
FILL_EVERY_S = 0.1
"""For the memory: history is full after a thousand looks, so it is filled ten times as fast."""


def measure(options: Options) -> list[Figure]:
    settle_s = options.pick(10.0, 5.0)
    with running.scratch() as scratch, scratch.daemon() as daemon:
        time.sleep(settle_s)
        zero = proc.memory_mb(daemon.pid)
    ten, _ = _cpu(options, 10, settle_s)
    hundred, watched = _cpu(options, 100, settle_s)
    figures = [ten, hundred]
    figures.append(
        Figure(
            what="100 services, PSS on top",
            value=watched["Pss"] - zero["Pss"],
            unit="MB",
            target=GROWTH_TARGET_MB,
            bound=2.5 * GROWTH_TARGET_MB,
            yardstick="supervisord 1.5 GB in all",
            note=f"looks every second for {settle_s + 3 * options.pick(60.0, 8.0):.0f} s; "
            f"PSS {zero['Pss']:.1f} without, "
            f"{watched['Pss']:.1f} with 100; the services share pages of the interpreter with the daemon",
        )
    )
    few, many = _memory(10, 15.0), _memory(100, options.pick(130.0, 65.0))
    figures.append(
        Figure(
            what="100 services, full history",
            value=many["Anonymous"] - zero["Anonymous"],
            unit="MB",
            target=GROWTH_TARGET_MB,
            bound=2.5 * GROWTH_TARGET_MB,
            yardstick="supervisord 1.5 GB in all",
            note=f"anonymous memory over the zero-config daemon, history {options.pick(1000, 600):.0f} looks long; "
            f"over 10 services {many['Private'] - few['Private']:.1f}; PSS {zero['Pss']:.1f} without, "
            f"{few['Pss']:.1f} with 10, {many['Pss']:.1f} with 100 services",
        )
    )
    return figures


def _cpu(options: Options, count: int, settle_s: float) -> tuple[Figure, dict[str, float]]:
    """The CPU, and the memory at the end."""
    per_minute = []
    with running.scratch() as scratch, scratch.daemon(config(scratch, count)) as daemon:
        running.wait_for(lambda: running.all_up(daemon, count), f"{count} services up", every_s=0.2)
        time.sleep(settle_s)
        for _ in range(3):
            began, cpu = time.perf_counter(), proc.cpu_s(daemon.pid)
            time.sleep(options.pick(60.0, 8.0))
            per_minute.append(60e3 * (proc.cpu_s(daemon.pid) - cpu) / (time.perf_counter() - began))
        memory = proc.memory_mb(daemon.pid)
        issues = daemon.ask("/v1/status")["issues"]
    notes = [f"median of 3 spans, {min(per_minute):,.0f} to {max(per_minute):,.0f}", proc.load_note()]
    if issues:
        notes.append(f"{len(issues)} issues were open")
    figure = Figure(
        what=f"{count} services every second",
        value=statistics.median(per_minute),
        unit="ms CPU a minute",
        target=TARGETS_MS[count],
        bound=3 * TARGETS_MS[count],
        yardstick=YARDSTICKS[count],
        note="; ".join(note for note in notes if note),
    )
    return figure, memory


def _memory(count: int, fill_s: float) -> dict[str, float]:
    """The daemon's memory after `fill_s` seconds of looks every FILL_EVERY_S."""
    with running.scratch() as scratch, scratch.daemon(config(scratch, count, every_s=FILL_EVERY_S)) as daemon:
        running.wait_for(lambda: running.all_up(daemon, count), f"{count} services up", every_s=0.2)
        time.sleep(fill_s)
        return proc.memory_mb(daemon.pid)


def config(scratch: running.Scratch, count: int, *, every_s: float = 1.0) -> Path:
    """`count` services with everything looked at every `every_s`."""
    ports = running.free_ports(count)
    return scratch.configure({f"s{port}": _service(scratch, port, every_s) for port in ports})


def _service(scratch: running.Scratch, port: int, every_s: float) -> dict[str, Any]:
    heartbeat = scratch.folder / f"{port}.beat"
    return {
        "control": {"type": "process", "command": running.service_command(port, heartbeat)},
        "checks": [
            {"type": "http", "url": f"http://127.0.0.1:{port}/", "every_s": every_s},
            {"type": "heartbeat", "file": str(heartbeat), "max_age_s": 30, "every_s": every_s},
        ],
        "check_every_s": every_s,
        "limits": {"rss_mb": 512, "cpu_percent": 90, "fds": 900, "children": 50},
    }
