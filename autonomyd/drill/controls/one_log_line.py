"""A service logs one error, once."""

from autonomyd.drill.tables import ERROR
from autonomyd.drill.untouched import Control

SCENARIO = Control(
    name="one-log-line",
    what="one error in the log",
    act=lambda stage: stage.web.ask(f"/say/{ERROR}"),
).scenario()
