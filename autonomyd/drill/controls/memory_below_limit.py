"""A service uses much more memory than before, within its bound."""

from autonomyd.drill.tables import RSS_MB
from autonomyd.drill.untouched import Control

SCENARIO = Control(
    name="memory-below-limit",
    what="memory rises within its bound",
    act=lambda stage: stage.web.ask(f"/leak/{RSS_MB // 2}"),
).scenario()
