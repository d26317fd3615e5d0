"""A person stops a service through the API: it stays stopped."""

from autonomyd.drill.stage import Stage
from autonomyd.drill.untouched import Control


def stays_stopped(stage: Stage) -> list[str]:
    shown = stage.shown("web")
    if shown is None or shown.state != "stopped" or shown.issues:
        return [f"the API shows {shown.state if shown else 'nothing'}, not a service stopped on purpose"]
    return []


SCENARIO = Control(
    name="stopped-on-purpose",
    what="stopped on purpose by a person",
    act=lambda stage: stage.daemon.client.post("/v1/services/web/stop"),
    renewed=("web",),
    starts={"web": 0},
    well=lambda stage: not stage.web.alive(),
    after=stays_stopped,
).scenario()
