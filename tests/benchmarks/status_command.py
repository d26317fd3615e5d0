"""`autonomyctl status` as a person runs it: a new process each time."""

import statistics
import subprocess
import sys
import time

import running
from figure import Figure, Options


def measure(options: Options) -> list[Figure]:
    times = []
    with running.scratch() as scratch, scratch.daemon() as daemon:
        argv = [sys.executable, "-m", "autonomyd.cli.ctl", "--socket", str(daemon.socket), "status"]
        for _ in range(11):
            began = time.perf_counter()
            done = subprocess.run(argv, env=running.environment(), capture_output=True, timeout=30, check=False)
            times.append(time.perf_counter() - began)
            if done.returncode > 3:
                raise RuntimeError(done.stderr.decode())
    return [
        Figure(
            what="autonomyctl status",
            value=statistics.median(times[1:]),
            unit="s",
            target=0.15,
            bound=0.6,
            note=f"median of 10, {min(times[1:]):.3f} to {max(times[1:]):.3f}",
        )
    ]
