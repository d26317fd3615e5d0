"""A person edits the configuration file to another good value and restarts the service. The change stays."""

from autonomyd.drill.aside import Edit
from autonomyd.drill.stage import Stage
from autonomyd.drill.untouched import Control

EDIT = Edit("pool_size = 4", "pool_size = 8")


def act(stage: Stage) -> None:
    EDIT.make(stage.web)
    stage.daemon.client.post("/v1/services/web/restart")


SCENARIO = Control(
    name="config-edited",
    what="configuration edited, and it works",
    act=act,
    renewed=("web",),
    after=lambda stage: EDIT.was_kept(stage.web),
).scenario()
