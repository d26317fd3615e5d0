"""A service is killed and takes six seconds to start: it is started once, not again while it starts."""

import signal

from autonomyd.drill.fault import Fault
from autonomyd.drill.stage import Stage

NEEDS_S = 6


def inject(stage: Stage) -> None:
    stage.web.flag("slow", str(NEEDS_S))
    stage.web.signal(signal.SIGKILL)


SCENARIO = Fault(
    name="slow-start",
    what="killed, takes 6 s to start",
    bound_s=7.0,
    inject=inject,
).scenario()
