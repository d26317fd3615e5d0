"""The daemon is restarted in order, as an upgrade does it: services keep running."""

from autonomyd.drill.aside import not_adopted
from autonomyd.drill.stage import Stage
from autonomyd.drill.untouched import Control


def act(stage: Stage) -> None:
    stage.daemon.end()
    stage.daemon.start()


SCENARIO = Control(
    name="daemon-restarted",
    what="the daemon restarted in order",
    act=act,
    after=not_adopted,
).scenario()
