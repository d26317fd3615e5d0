"""What a service depends on is stopped by a signal for 0.8 s: neither is restarted."""

import signal

from autonomyd.drill.stage import Stage
from autonomyd.drill.untouched import Control

BLIP_S = 0.8


def act(stage: Stage) -> None:
    stage.redis.signal(signal.SIGSTOP)
    stage.rest(BLIP_S)
    stage.redis.signal(signal.SIGCONT)


SCENARIO = Control(
    name="dependency-blip",
    what="dependency frozen for 0.8 s",
    act=act,
).scenario()
