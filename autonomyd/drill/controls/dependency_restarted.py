"""A person restarts the dependency: what needs it fails for a moment, and is left alone."""

from autonomyd.drill.untouched import Control

SCENARIO = Control(
    name="dependency-restarted",
    what="dependency restarted by a person",
    act=lambda stage: stage.daemon.client.post("/v1/services/redis/restart"),
    renewed=("redis",),
).scenario()
