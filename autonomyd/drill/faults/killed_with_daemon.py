"""A service is killed, and a moment later the daemon is, with -9, wherever it is in healing it. Started again, the
daemon finishes: one process, never two."""

import signal

from autonomyd.drill.fault import Fault
from autonomyd.drill.stage import Stage

LATEST_S = 0.15
"""By then a heal is through: any moment before may be hit."""


def inject(stage: Stage) -> None:
    stage.web.signal(signal.SIGKILL)
    stage.rest(stage.rng.uniform(0.0, LATEST_S))
    stage.daemon.kill()
    stage.daemon.launch()


SCENARIO = Fault(
    name="killed-with-daemon",
    what="killed, and the daemon while it heals",
    inject=inject,
).scenario()
