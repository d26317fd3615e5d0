"""Three services are killed at once, one of which another one needs."""

import os
import signal

from autonomyd.drill.fault import Fault
from autonomyd.drill.services import ServiceSpec
from autonomyd.drill.stage import Stage
from autonomyd.drill.verdict import EVERY_S, REDIS, WEB

NAMES = ("web", "redis", "worker")


def inject(stage: Stage) -> None:
    for pid in [stage.services[name].pid() for name in NAMES]:
        os.kill(pid, signal.SIGKILL)


SCENARIO = Fault(
    name="three-killed",
    what="three killed at once",
    bound_s=0.5,
    inject=inject,
    renewed=NAMES,
    services=(REDIS, WEB, ServiceSpec(name="worker", every_s=EVERY_S, timeout_s=EVERY_S)),
).scenario()
