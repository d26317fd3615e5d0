"""A service leaks slowly. Long before it is at its limit, the daemon says when it will be."""

from autonomyd.drill.faults.memory_growth import over
from autonomyd.drill.foretold import Foretold, warning_of

KB_A_TICK = 60
"""1.2 MB a second: three quarters of a minute from its usual size to the limit."""

SCENARIO = Foretold(
    name="memory-leak",
    what="memory leaks toward its limit",
    inject=lambda stage: stage.web.ask(f"/seep/{KB_A_TICK}"),
    told=warning_of("service:web"),
    fails=over,
    within_s=150.0,
).scenario()
