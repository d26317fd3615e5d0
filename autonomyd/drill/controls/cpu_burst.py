"""A service uses much CPU, for less long than its bound says."""

from autonomyd.drill.untouched import Control

SCENARIO = Control(
    name="cpu-burst",
    what="a short burst of CPU",
    act=lambda stage: stage.web.ask("/spin/0.8"),
).scenario()
