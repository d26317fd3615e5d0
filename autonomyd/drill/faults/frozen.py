"""A service is stopped by a signal (SIGSTOP)."""

import signal

from autonomyd.drill.fault import Fault

SCENARIO = Fault(
    name="frozen",
    what="frozen with SIGSTOP",
    bound_s=4.0,
    inject=lambda stage: stage.web.signal(signal.SIGSTOP),
).scenario()
