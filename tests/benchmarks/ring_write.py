"""A write to the metrics ring, per sample, over rows as the host probe and a service's probe write them."""

import statistics
import time

from figure import Figure, Options

from autonomyd.model.subject import Subject
from autonomyd.monitor.ring import MetricsRing

ROWS = 20_000


def measure(options: Options) -> list[Figure]:
    rounds = int(options.pick(9, 5))
    wide = statistics.median(_per_sample_us(metrics=7) for _ in range(rounds))
    one = statistics.median(_per_sample_us(metrics=1) for _ in range(rounds))
    return [
        Figure(
            what="ring write",
            value=wide,
            unit="us a sample",
            target=2.0,
            bound=4.0,
            note=f"changing values, rows of 7 metrics; rows of one {one:.2f}",
        )
    ]


def _per_sample_us(*, metrics: int) -> float:
    ring = MetricsRing()
    units = {f"m{number}": "" for number in range(metrics)}
    rows = [dict.fromkeys(units, float(number)) for number in range(ROWS // 10)]
    subjects = [Subject(f"service:{number}") for number in range(10)]
    began = time.perf_counter()
    for at, values in enumerate(rows):
        for subject in subjects:
            ring.append(subject, "probe", float(at), values, units)
    return 1e6 * (time.perf_counter() - began) / (ROWS * metrics)
