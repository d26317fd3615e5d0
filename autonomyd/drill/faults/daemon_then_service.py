"""The daemon is killed with -9, and the service while nobody watches; the daemon is started again, as a service manager
would. It takes over what runs, and starts what does not, once."""

import signal

from autonomyd.drill.fault import Fault
from autonomyd.drill.stage import Stage


def inject(stage: Stage) -> None:
    stage.daemon.kill()
    stage.web.signal(signal.SIGKILL)
    stage.daemon.launch()


SCENARIO = Fault(
    name="daemon-then-service",
    what="the daemon killed, then the service",
    bound_s=1.0,
    inject=inject,
).scenario()
