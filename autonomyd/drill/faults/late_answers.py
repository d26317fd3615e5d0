"""A service answers every page, after 3 s."""

from autonomyd.drill.fault import Fault

SCENARIO = Fault(
    name="late-answers",
    what="answers after 3 s",
    bound_s=3.0,
    inject=lambda stage: stage.web.ask("/late"),
).scenario()
