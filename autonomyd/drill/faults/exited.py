"""A service ends by itself, with exit code 0, though it is wanted."""

from autonomyd.drill.fault import Fault

SCENARIO = Fault(
    name="exited",
    what="exited with code 0",
    bound_s=0.5,
    inject=lambda stage: stage.web.ask("/exit"),
).scenario()
