"""One look at all of the host's metrics."""

import statistics
import time

from figure import Figure, Options

from autonomyd.aio.clock import SystemClock
from autonomyd.host.machine import HostCollector


def measure(options: Options) -> list[Figure]:
    collector = HostCollector(SystemClock())
    times = []
    try:
        collector.collect()
        for _ in range(int(options.pick(500, 100))):
            time.sleep(0.001)  # a look in a tight loop finds every cache warm
            began = time.perf_counter()
            collector.collect()
            times.append(time.perf_counter() - began)
    finally:
        collector.close()
    return [
        Figure(
            what="host collection",
            value=1e3 * statistics.median(times),
            unit="ms",
            target=5.0,
            bound=10.0,
            note=f"median of {len(times)}, longest {1e3 * max(times):.2f}",
        )
    ]
