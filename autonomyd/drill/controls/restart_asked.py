"""A person restarts a service through the API: one start, and no more."""

from autonomyd.drill.untouched import Control

SCENARIO = Control(
    name="restart-asked",
    what="restarted through the daemon",
    act=lambda stage: stage.daemon.client.post("/v1/services/web/restart"),
    renewed=("web",),
).scenario()
