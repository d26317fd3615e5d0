"""A service dies at once, each time it is started. The restart limit holds, and the time of the next try is shown."""

import signal
import time
from dataclasses import replace

from autonomyd.drill.stage import Stage
from autonomyd.drill.verdict import REDIS, WEB, Kind, Observed, Scenario
from autonomyd.drill.watch import Shown

MAX_STARTS = 3
PARKED_WITHIN_S = 25.0
CALM_S = 3.0
"""After it was parked nothing may be started for this long."""


def play(stage: Stage) -> Observed:
    stage.settle()
    service = stage.web
    before = len(service.starts())
    service.flag("crash")
    began = time.monotonic()
    service.signal(signal.SIGKILL)
    parked = stage.until(lambda: _parked(stage.shown("web")), within_s=PARKED_WITHIN_S)
    recovered = time.monotonic() - began if parked else None
    problems: list[str] = []
    if parked is None:
        problems.append(f"it was not parked within {PARKED_WITHIN_S:g} s")
    starts = len(service.starts()) - before
    stage.rest(CALM_S)
    later = len(service.starts()) - before
    if later > starts:
        problems.append(f"{later - starts} starts after it was parked")
    if later > MAX_STARTS:
        problems.append(f"{later} starts, {MAX_STARTS} were allowed")
    detected = stage.detected("service:web", began)
    return Observed(
        detected_after_s=detected,
        recovered_after_s=recovered,
        problems=tuple(problems),
        note=f"parked after {later} starts",
    )


def _parked(shown: Shown | None) -> bool:
    """Parked, with a time for the next try, where a person looks."""
    if shown is None or shown.next_try_at is None:
        return False
    return any(each.state == "parked" and each.next_try_at is not None for each in shown.issues)


SCENARIO = Scenario(
    name="crash-loop",
    kind=Kind.FAULT,
    what="dies at once at every start",
    services=(REDIS, replace(WEB, settings={"restart": f"{{ max = {MAX_STARTS}, within_s = 120.0 }}"})),
    play=play,
    starts={"web": MAX_STARTS},
)
