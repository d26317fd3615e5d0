"""The daemon without any configuration: memory after a warm-up, CPU and wake-ups at the default intervals."""

import time

import proc
import running
from figure import Figure, Options

SETTLE_S = 15.0
"""The start itself is no part of the running cost."""


def measure(options: Options) -> list[Figure]:
    with running.scratch() as scratch, scratch.daemon() as daemon:
        time.sleep(SETTLE_S)
        began, cpu, woke = time.perf_counter(), proc.cpu_s(daemon.pid), proc.wakeups(daemon.pid)
        time.sleep(max(20.0, options.warm_up_s - SETTLE_S))
        spent_s = proc.cpu_s(daemon.pid) - cpu
        span_s = time.perf_counter() - began
        woke = proc.wakeups(daemon.pid) - woke
        memory = proc.memory_mb(daemon.pid)
    after = f"{span_s + SETTLE_S:.0f} s after the start"
    return [
        Figure(
            what="zero-config PSS",
            value=memory["Pss"],
            unit="MB",
            target=60.0,
            bound=75.0,
            note=f"{after}; RSS {memory['Rss']:.1f}, anonymous {memory['Anonymous']:.1f}",
        ),
        Figure(
            what="zero-config CPU",
            value=100.0 * spent_s / span_s,
            unit="% of a core",
            target=0.1,
            bound=0.5,
            note=f"{60e3 * spent_s / span_s:.0f} ms a minute over {span_s:.0f} s",
        ),
        Figure(what="zero-config wake-ups", value=60.0 * woke / span_s, unit="a minute", bound=600.0),
    ]
