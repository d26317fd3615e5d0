"""What a service depends on dies: the daemon blames it, and not the service."""

import signal

from autonomyd.drill.foretold import Foretold, top_cause
from autonomyd.drill.stage import Stage

BLAMED = frozenset({"parent_failed", "dependency_failed"})


def told(stage: Stage) -> str | None:
    found = top_cause(stage, "service:web")
    return found[2] if found is not None and found[0] in BLAMED else None


SCENARIO = Foretold(
    name="dependency-dies",
    what="its dependency dies",
    inject=lambda stage: stage.redis.signal(signal.SIGKILL),
    told=told,
).scenario()
