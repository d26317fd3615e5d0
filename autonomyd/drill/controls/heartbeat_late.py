"""A service touches its heartbeat file late, but in time."""

from autonomyd.drill.tables import HEARTBEAT_AGE_S
from autonomyd.drill.untouched import Control

SCENARIO = Control(
    name="heartbeat-late",
    what="its heartbeat is a little late",
    act=lambda stage: stage.web.ask(f"/stall/{HEARTBEAT_AGE_S * 0.75}"),
).scenario()
