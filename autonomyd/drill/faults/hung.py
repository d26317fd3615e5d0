"""A service takes connections and never answers; its process lives, and is idle."""

from autonomyd.drill.fault import Fault

SCENARIO = Fault(
    name="hung",
    what="takes connections, never answers",
    bound_s=3.0,
    inject=lambda stage: stage.web.ask("/hang"),
).scenario()
