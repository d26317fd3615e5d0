"""For 0.8 s a service takes requests that it answers late; then it is quick again."""

from autonomyd.drill.untouched import Control

SCENARIO = Control(
    name="slow-answer",
    what="late answers for 0.8 s",
    act=lambda stage: stage.web.ask("/late/0.8"),
    for_s=6.0,
).scenario()
