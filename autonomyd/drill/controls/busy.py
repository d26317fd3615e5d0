"""A service is busy and slow for a long time, but it answers: overloaded is not dead. Nobody declared a
bound on its CPU."""

from dataclasses import replace

from autonomyd.drill.untouched import Control
from autonomyd.drill.verdict import REDIS, WEB

SCENARIO = Control(
    name="busy",
    what="busy and slow, but answers",
    act=lambda stage: stage.web.ask("/busy", timeout_s=2.0),
    for_s=6.0,
    services=(REDIS, replace(WEB, settings={"limits": "{ rss_mb = 64 }"})),
).scenario()
