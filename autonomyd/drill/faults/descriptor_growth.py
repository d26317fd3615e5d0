"""A service's open descriptors grow over their limit; it answers all the time."""

import os

from autonomyd.drill.fault import Fault
from autonomyd.drill.stage import Stage
from autonomyd.drill.tables import FDS

GROWS_TO = 3 * FDS


def over(stage: Stage) -> bool:
    return any(len(os.listdir(f"/proc/{pid}/fd")) > FDS for pid in stage.web.alive())


SCENARIO = Fault(
    name="descriptor-growth",
    what="descriptors grow over their limit",
    bound_s=3.0,
    inject=lambda stage: stage.web.ask(f"/descriptors/{GROWS_TO}"),
    symptom=over,
).scenario()
