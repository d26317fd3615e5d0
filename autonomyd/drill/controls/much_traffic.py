"""A service gets many requests for some seconds, and answers them all."""

import time

from autonomyd.drill.fault import PAGE
from autonomyd.drill.stage import Stage
from autonomyd.drill.untouched import Control

FOR_S = 4.0
PAUSE_S = 0.005


def act(stage: Stage) -> None:
    until = time.monotonic() + FOR_S
    while time.monotonic() < until:
        stage.web.ask(PAGE)
        stage.rest(PAUSE_S)


SCENARIO = Control(
    name="much-traffic",
    what="many requests",
    act=act,
    for_s=2.0,
).scenario()
