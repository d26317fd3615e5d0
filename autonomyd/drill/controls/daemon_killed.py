"""The daemon is killed with -9 and started again: services keep running, none is doubled, none is started anew."""

from autonomyd.drill.aside import not_adopted
from autonomyd.drill.stage import Stage
from autonomyd.drill.untouched import Control


def act(stage: Stage) -> None:
    stage.daemon.kill()
    stage.daemon.start()


SCENARIO = Control(
    name="daemon-killed",
    what="the daemon killed with -9 and started",
    act=act,
    after=not_adopted,
).scenario()
