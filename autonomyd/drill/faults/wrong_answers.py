"""A service answers every page with 500."""

from autonomyd.drill.fault import Fault

SCENARIO = Fault(
    name="wrong-answers",
    what="answers 500",
    bound_s=3.0,
    inject=lambda stage: stage.web.ask("/wrong"),
).scenario()
