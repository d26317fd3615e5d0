"""A service is slow to collect some dead children, fewer than its bound says."""

from autonomyd.drill.tables import ZOMBIES
from autonomyd.drill.untouched import Control

SCENARIO = Control(
    name="few-dead-children",
    what="some dead children",
    act=lambda stage: stage.web.ask(f"/zombies/{ZOMBIES - 1}"),
).scenario()
