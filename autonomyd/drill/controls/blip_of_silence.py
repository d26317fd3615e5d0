"""A service takes connections and does not answer for 0.8 s."""

from autonomyd.drill.untouched import Control

SCENARIO = Control(
    name="blip-of-silence",
    what="does not answer for 0.8 s",
    act=lambda stage: stage.web.ask("/hang/0.8"),
).scenario()
