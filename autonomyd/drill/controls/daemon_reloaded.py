"""The daemon reads its configuration anew, in which a comment changed: no service is touched."""

from autonomyd.drill.stage import Stage
from autonomyd.drill.untouched import Control


def act(stage: Stage) -> None:
    with stage.daemon.config.open("a", encoding="utf-8") as file:
        file.write("\n# checked\n")
    stage.daemon.client.post("/v1/reload")


SCENARIO = Control(
    name="daemon-reloaded",
    what="the daemon's configuration reloaded",
    act=act,
).scenario()
