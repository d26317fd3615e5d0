"""A service spins on the CPU without end; it answers, more slowly."""

from dataclasses import replace

from autonomyd.drill.fault import Fault
from autonomyd.drill.stage import Stage
from autonomyd.drill.tables import CPU_PERCENT
from autonomyd.drill.verdict import REDIS, WEB
from autonomyd.host.process import wants_to_run

BOUND_PERCENT = 20
"""The bound that is set for it here: on a machine where ten want a processor at once a spinner gets no more."""
LOOKS = 20
LOOK_EVERY_S = 0.02


def over(stage: Stage) -> bool:
    """Whether it wants the processor more often than it may. What it gets says nothing while others want it too: a
    spinner that is starved would look well."""
    wanted = 0
    for _ in range(LOOKS):
        stage.rest(LOOK_EVERY_S)
        wanted += any(wants_to_run(pid) for pid in stage.web.alive())
    return wanted * 100.0 > LOOKS * CPU_PERCENT


SCENARIO = Fault(
    name="spinning",
    what="spins on the CPU",
    bound_s=4.4,
    inject=lambda stage: stage.web.ask("/spin"),
    symptom=over,
    services=(REDIS, replace(WEB, settings={"limits": f"{{ cpu_percent = {BOUND_PERCENT}, for_s = 1.0 }}"})),
).scenario()
