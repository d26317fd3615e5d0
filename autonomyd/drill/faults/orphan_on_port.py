"""A service is killed, and a child that it forked lives on and holds its port."""

import signal

from autonomyd.drill.fault import Fault
from autonomyd.drill.stage import Stage

FORKED_WITHIN_S = 2.0


def prepare(stage: Stage) -> None:
    stage.web.ask("/orphan")
    stage.until((stage.web.folder / "children").exists, within_s=FORKED_WITHIN_S)


SCENARIO = Fault(
    name="orphan-on-port",
    what="its own orphan holds the port",
    bound_s=2.0,
    prepare=prepare,
    inject=lambda stage: stage.web.signal(signal.SIGKILL),
    starts={"web": 2},
).scenario()
