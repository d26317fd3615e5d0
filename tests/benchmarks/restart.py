"""How soon a dead service is started again, and answers again.

Measured from outside: from the kill to the moment the daemon has a new child, and to the first answer of a new pid.
Each service is killed once, so no cooldown is in the figures."""

import os
import signal
import statistics
import subprocess
import time
from collections.abc import Iterator

import proc
import running
from figure import Figure, Options

NEEDS_S = 0.04
"""What the service itself takes from exec to its first answer."""
RESTART = {"max": 1000, "within_s": 300.0}
BUDGET = {"acts_per_hour_service": 10000, "acts_per_hour_host": 10000}


def measure(options: Options) -> list[Figure]:
    count = int(options.pick(40, 20))
    with running.scratch() as scratch:
        delay_s = max(0.0, NEEDS_S - _own_need_s(0.0))
        own_s = _own_need_s(delay_s)
        begun, answered = _killed(scratch, count, delay_s)
        exited = list(_exited(scratch, count // 2, delay_s))
    needs = f"the service itself needs {own_s * 1e3:.0f} ms"
    return [
        Figure(
            what="killed to restart begun",
            value=1e3 * statistics.median(begun),
            unit="ms",
            target=50.0,
            bound=250.0,
            note=f"median of {len(begun)}, {1e3 * min(begun):.1f} to {1e3 * max(begun):.1f}",
        ),
        Figure(
            what="killed, answers again",
            value=statistics.median(answered),
            unit="s",
            target=0.5,
            bound=1.5,
            yardstick="Monit 1.9, supervisord 1.1, circus 0.5 to 1.0",
            note=f"{needs}; {min(answered):.3f} to {max(answered):.3f}",
        ),
        Figure(
            what="cleanly exited, answers again",
            value=statistics.median(exited),
            unit="s",
            target=0.5,
            bound=1.5,
            note=f"{min(exited):.3f} to {max(exited):.3f}",
        ),
    ]


def _own_need_s(delay_s: float) -> float:
    """Median time from spawning the service by hand to its first answer."""
    times = []
    for port in running.free_ports(9):
        began = time.perf_counter()
        process = subprocess.Popen(running.service_command(port, delay_s=delay_s))
        try:
            running.wait_for(lambda port=port: running.answer_of(port), "the service alone")
            times.append(time.perf_counter() - began)
        finally:
            process.kill()
            process.wait()
    return statistics.median(times)


def _killed(scratch: running.Scratch, count: int, delay_s: float) -> tuple[list[float], list[float]]:
    begun, answered = [], []
    ports = running.free_ports(count)
    with scratch.daemon(_config(scratch, ports, delay_s)) as daemon:
        running.wait_for(lambda: running.all_up(daemon, count), "all services up", every_s=0.1)
        for port in ports:
            pid = running.answer_of(port)
            known = proc.children(daemon.pid)
            assert pid is not None
            assert pid in known
            began = time.perf_counter()
            os.kill(pid, signal.SIGKILL)
            running.wait_for(lambda known=known: proc.children(daemon.pid) - known, "a new child", every_s=0.0002)
            begun.append(time.perf_counter() - began)
            running.wait_for(lambda port=port, pid=pid: running.answer_of(port) not in (None, pid), "answers again")
            answered.append(time.perf_counter() - began)
    return begun, answered


def _exited(scratch: running.Scratch, count: int, delay_s: float) -> Iterator[float]:
    ports = running.free_ports(count)
    with scratch.daemon(_config(scratch, ports, delay_s)) as daemon:
        running.wait_for(lambda: running.all_up(daemon, count), "all services up", every_s=0.1)
        for port in ports:
            began = time.perf_counter()
            pid = running.answer_of(port, "/exit")
            running.wait_for(lambda port=port, pid=pid: running.answer_of(port) not in (None, pid), "answers again")
            yield time.perf_counter() - began


def _config(scratch: running.Scratch, ports: list[int], delay_s: float) -> "os.PathLike[str]":
    services = {
        f"s{port}": {
            "control": {"type": "process", "command": running.service_command(port, delay_s=delay_s)},
            "checks": [{"type": "http", "url": f"http://127.0.0.1:{port}/", "every_s": 1.0}],
            "restart": RESTART,
        }
        for port in ports
    }
    return scratch.configure(services, healing=BUDGET)
