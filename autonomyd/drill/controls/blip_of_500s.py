"""A service answers 500 for 0.8 s."""

from autonomyd.drill.untouched import Control

SCENARIO = Control(
    name="blip-of-500s",
    what="answers 500 for 0.8 s",
    act=lambda stage: stage.web.ask("/wrong/0.8"),
).scenario()
