"""A service spins on the CPU without end; it answers, more slowly."""

from autonomyd.drill.fault import Fault
from autonomyd.drill.stage import Stage
from autonomyd.drill.tables import CPU_PERCENT
from autonomyd.host.process import read_process

LOOK_S = 0.4


def over(stage: Stage) -> bool:
    before = {pid: read_process(pid) for pid in stage.web.alive()}
    stage.rest(LOOK_S)
    after = {pid: read_process(pid) for pid in before}
    used = sum(
        now.cpu_s - then.cpu_s for pid, then in before.items() if then is not None and (now := after[pid]) is not None
    )
    return used > LOOK_S * CPU_PERCENT / 100.0


SCENARIO = Fault(
    name="spinning",
    what="spins on the CPU",
    bound_s=4.4,
    inject=lambda stage: stage.web.ask("/spin"),
    symptom=over,
).scenario()
