"""A service is deadlocked behind a shallow health page: that one answers, the real page never does."""

from autonomyd.drill.fault import Fault

SCENARIO = Fault(
    name="deadlocked",
    what="deadlock behind a shallow health page",
    bound_s=3.0,
    inject=lambda stage: stage.web.ask("/stuck"),
).scenario()
