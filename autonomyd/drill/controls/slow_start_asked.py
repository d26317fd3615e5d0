"""A service that takes long to start, within its grace time, is restarted through the API: one start."""

from autonomyd.drill.stage import Stage
from autonomyd.drill.untouched import Control

NEEDS_S = 4


def act(stage: Stage) -> None:
    stage.web.flag("slow", str(NEEDS_S))
    stage.daemon.client.post("/v1/services/web/restart")


SCENARIO = Control(
    name="slow-start-asked",
    what="slow start, within its grace time",
    act=act,
    renewed=("web",),
).scenario()
