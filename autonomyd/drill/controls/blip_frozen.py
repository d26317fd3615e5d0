"""A service is stopped by a signal, and goes on after 0.8 s."""

import signal

from autonomyd.drill.stage import Stage
from autonomyd.drill.untouched import Control

BLIP_S = 0.8


def act(stage: Stage) -> None:
    stage.web.signal(signal.SIGSTOP)
    stage.rest(BLIP_S)
    stage.web.signal(signal.SIGCONT)


SCENARIO = Control(
    name="blip-frozen",
    what="frozen for 0.8 s",
    act=act,
).scenario()
