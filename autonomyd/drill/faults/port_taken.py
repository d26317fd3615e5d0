"""A service is killed, and a stranger takes its port for eight seconds. The stranger is left alone; the service is well
as soon as it can be."""

import signal

from autonomyd.drill.aside import hold_port
from autonomyd.drill.fault import Fault
from autonomyd.drill.stage import Stage

HELD_S = 8
AFTER_S = 1.0
STARTS = 12
"""More than it should need: tries while the port is taken are counted and shown, but the bound on harm is generous."""


def prepare(stage: Stage) -> None:
    hold_port(stage, str(stage.web.port), str(HELD_S))
    stage.rest(0.3)  # it is up, and tries to get the port all the time


def was_touched(stage: Stage) -> list[str]:
    code = stage.aside[0].wait()
    return [] if code == 0 else [f"the stranger was touched: it ended with {code}"]


SCENARIO = Fault(
    name="port-taken",
    what="a stranger on its port for 8 s",
    bound_s=HELD_S + AFTER_S,
    prepare=prepare,
    inject=lambda stage: stage.web.signal(signal.SIGKILL),
    starts={"web": STARTS},
    after=was_touched,
).scenario()
