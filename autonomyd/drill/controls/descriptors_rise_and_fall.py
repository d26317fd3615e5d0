"""A service opens many descriptors, for a moment more than its bound says, and closes them."""

from autonomyd.drill.stage import Stage
from autonomyd.drill.tables import FDS
from autonomyd.drill.untouched import Control

MOMENT_S = 0.5


def act(stage: Stage) -> None:
    stage.web.ask(f"/descriptors/{2 * FDS}")
    stage.rest(MOMENT_S)
    stage.web.ask("/descriptors/0")


SCENARIO = Control(
    name="descriptors-rise-and-fall",
    what="descriptors rise and fall",
    act=act,
).scenario()
