"""A good new release is deployed, and the service restarted through the daemon. The link stays."""

from autonomyd.drill.aside import release_is
from autonomyd.drill.stage import Stage
from autonomyd.drill.untouched import Control


def act(stage: Stage) -> None:
    stage.web.deploy("2")
    stage.daemon.client.post("/v1/services/web/restart")


SCENARIO = Control(
    name="release-deployed",
    what="a good release deployed",
    act=act,
    renewed=("web",),
    after=lambda stage: release_is(stage.web, "2"),
).scenario()
