"""A service no longer collects its dead children; it answers all the time."""

from autonomyd.drill.fault import Fault
from autonomyd.drill.stage import Stage
from autonomyd.drill.tables import ZOMBIES
from autonomyd.host.process import all_pids, read_process

GROWS_TO = 3 * ZOMBIES


def over(stage: Stage) -> bool:
    parents = stage.web.alive()
    facts = [read_process(pid) for pid in all_pids()]
    return sum(each is not None and each.is_dead and each.ppid in parents for each in facts) > ZOMBIES


SCENARIO = Fault(
    name="zombie-growth",
    what="dead children pile up",
    bound_s=3.0,
    inject=lambda stage: stage.web.ask(f"/zombies/{GROWS_TO}"),
    symptom=over,
).scenario()
