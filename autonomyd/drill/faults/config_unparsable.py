"""A configuration file is written that cannot be parsed; then the service is killed."""

import signal

from autonomyd.drill.aside import Edit, work_for_a_while
from autonomyd.drill.fault import Fault
from autonomyd.drill.stage import Stage

EDIT = Edit("pool_size = 4", "pool_size = ")


def inject(stage: Stage) -> None:
    EDIT.make(stage.web)
    stage.web.signal(signal.SIGKILL)


SCENARIO = Fault(
    name="config-unparsable",
    what="configuration does not parse",
    bound_s=2.0,
    prepare=work_for_a_while,
    inject=inject,
    starts={"web": 4},
    after=lambda stage: EDIT.was_undone(stage.web),
).scenario()
