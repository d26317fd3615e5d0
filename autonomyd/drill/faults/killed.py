"""A service is killed."""

import signal

from autonomyd.drill.fault import Fault

SCENARIO = Fault(
    name="killed",
    what="killed with -9",
    bound_s=0.5,
    inject=lambda stage: stage.web.signal(signal.SIGKILL),
).scenario()
