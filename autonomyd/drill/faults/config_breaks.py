"""A value is written into a configuration file that parses, but breaks everything; then the service is killed."""

import signal

from autonomyd.drill.aside import Edit, work_for_a_while
from autonomyd.drill.fault import Fault
from autonomyd.drill.stage import Stage

EDIT = Edit("pool_size = 4", "pool_size = 0")


def inject(stage: Stage) -> None:
    EDIT.make(stage.web)
    stage.web.signal(signal.SIGKILL)


SCENARIO = Fault(
    name="config-breaks",
    what="a value parses, but breaks everything",
    bound_s=10.0,
    prepare=work_for_a_while,
    inject=inject,
    starts={"web": 4},
    after=lambda stage: EDIT.was_undone(stage.web),
).scenario()
