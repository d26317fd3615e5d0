"""A service dies, and dies again at its next four starts; the fifth would work."""

import signal

from autonomyd.drill.fault import Fault
from autonomyd.drill.stage import Stage

CRASHES = 4


def inject(stage: Stage) -> None:
    stage.web.flag("crash", str(CRASHES))
    stage.web.signal(signal.SIGKILL)


SCENARIO = Fault(
    name="next-starts-crash",
    what="killed, dies at the next four starts",
    bound_s=5.0,
    inject=inject,
    starts={"web": CRASHES + 1},
).scenario()
