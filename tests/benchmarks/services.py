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
SETTLE_S = 10.0


def measure(options: Options) -> list[Figure]:
    with running.scratch() as scratch, scratch.daemon() as daemon:
        time.sleep(SETTLE_S)
        zero_mb = proc.memory_mb(daemon.pid)
    figures = []
    memory = {}
    for count in (10, 100):
        figure, memory[count] = _services(options, count)
        figures.append(figure)
    spans = options.pick(180.0, 45.0) + SETTLE_S
    figures.append(
        Figure(
            what="100 services, PSS on top",
            value=memory[100]["Pss"] - memory[10]["Pss"],
            unit="MB",
            target=GROWTH_TARGET_MB,
            bound=2.5 * GROWTH_TARGET_MB,
            yardstick="supervisord 1.5 GB in all",
            note=f"over 10 services, after {spans:.0f} s; private memory grew "
            f"{memory[100]['Private'] - memory[10]['Private']:.1f}; PSS {zero_mb['Pss']:.1f} without, "
            f"{memory[10]['Pss']:.1f} with 10, {memory[100]['Pss']:.1f} with 100 services",
        )
    )
    return figures


def _services(options: Options, count: int) -> tuple[Figure, dict[str, float]]:
    per_minute = []
    with running.scratch() as scratch, scratch.daemon(config(scratch, count)) as daemon:
        running.wait_for(lambda: running.all_up(daemon, count), f"{count} services up", every_s=0.2)
        time.sleep(SETTLE_S)
        for _ in range(3):
            began, cpu = time.perf_counter(), proc.cpu_s(daemon.pid)
            time.sleep(options.pick(60.0, 15.0))
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


def config(scratch: running.Scratch, count: int) -> Path:
    """`count` services with everything looked at every second."""
    ports = running.free_ports(count)
    return scratch.configure({f"s{port}": _service(scratch, port) for port in ports})


def _service(scratch: running.Scratch, port: int) -> dict[str, Any]:
    heartbeat = scratch.folder / f"{port}.beat"
    return {
        "control": {"type": "process", "command": running.service_command(port, heartbeat)},
        "checks": [
            {"type": "http", "url": f"http://127.0.0.1:{port}/", "every_s": 1.0},
            {"type": "heartbeat", "file": str(heartbeat), "max_age_s": 30, "every_s": 1.0},
        ],
        "check_every_s": 1.0,
        "limits": {"rss_mb": 512, "cpu_percent": 90, "fds": 900, "children": 50},
    }
