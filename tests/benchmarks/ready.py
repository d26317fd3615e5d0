"""From exec to READY=1 on the notify socket, and to the first answer on the control socket."""

import statistics

import running
from figure import Figure, Options


def measure(options: Options) -> list[Figure]:
    ready, answered = [], []
    for _ in range(int(options.pick(11, 5)) + 1):
        with running.scratch() as scratch, scratch.daemon() as daemon:
            ready.append(daemon.ready_s)
            answered.append(daemon.answered_s)
    del ready[0], answered[0]  # the first start fills the caches of the file system
    spread = f"median of {len(ready)}, {min(ready):.2f} to {max(ready):.2f}"
    return [
        Figure(what="ready (notify)", value=statistics.median(ready), unit="s", target=0.5, bound=2.0, note=spread),
        Figure(what="status answers", value=statistics.median(answered), unit="s", bound=2.5),
    ]
