"""A service no longer touches its heartbeat file; its pages are good."""

import time

from autonomyd.drill.fault import Fault
from autonomyd.drill.stage import Stage
from autonomyd.drill.tables import HEARTBEAT_AGE_S


def is_stale(stage: Stage) -> bool:
    return time.time() - (stage.web.folder / "heartbeat").stat().st_mtime > HEARTBEAT_AGE_S


SCENARIO = Fault(
    name="stale-heartbeat",
    what="its heartbeat stops",
    bound_s=5.0,
    inject=lambda stage: stage.web.ask("/stall"),
    symptom=is_stale,
).scenario()
