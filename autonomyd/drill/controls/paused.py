"""A service is killed while a person has paused healing: it is left down until the pause ends."""

import signal

from autonomyd.drill.stage import Stage
from autonomyd.drill.untouched import Control


def act(stage: Stage) -> None:
    stage.daemon.client.post("/v1/pause", {"reason": "a person works on it"})
    stage.web.signal(signal.SIGKILL)


SCENARIO = Control(
    name="paused",
    what="killed while healing is paused",
    act=act,
    renewed=("web",),
    starts={"web": 0},
    well=lambda stage: not stage.web.alive(),
).scenario()
