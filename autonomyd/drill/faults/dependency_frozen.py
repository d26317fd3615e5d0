"""What the service depends on is stopped by a signal. The service itself is innocent, and stays as it is."""

import signal

from autonomyd.drill.fault import Fault

SCENARIO = Fault(
    name="dependency-frozen",
    what="dependency frozen",
    bound_s=5.0,
    inject=lambda stage: stage.redis.signal(signal.SIGSTOP),
    renewed=("redis",),
    subject="redis",
).scenario()
