"""What the service depends on is killed. The service itself is innocent."""

import signal

from autonomyd.drill.fault import Fault

SCENARIO = Fault(
    name="dependency-killed",
    what="dependency killed",
    bound_s=0.5,
    inject=lambda stage: stage.redis.signal(signal.SIGKILL),
    renewed=("redis",),
    subject="redis",
).scenario()
