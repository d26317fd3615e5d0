"""An operator restarts a service past the daemon: the new process is up, the old one is killed. The daemon takes the
new one over and starts none of its own."""

import os
import signal

from autonomyd.drill.services import ServiceSpec
from autonomyd.drill.stage import Stage
from autonomyd.drill.untouched import look_on
from autonomyd.drill.verdict import Kind, Observed, Phase, Scenario

NAME = "by-hand"
UP_WITHIN_S = 5.0
ADOPTED_WITHIN_S = 5.0
STAYS_S = 2.5


def play(stage: Stage) -> Observed:
    service = stage.ready(NAME)
    old, before = service.pid(), len(service.starts())
    by_hand = service.start_by_hand()
    pidfile = service.folder / "pid"
    stage.until(lambda: pidfile.read_text("ascii").strip() == str(by_hand.pid), within_s=UP_WITHIN_S)
    os.kill(old, signal.SIGKILL)
    adopted = stage.until(lambda: _shows(stage, by_hand.pid), within_s=ADOPTED_WITHIN_S)
    seen = look_on(stage, service, for_s=STAYS_S)
    problems = [] if adopted else ["the daemon did not take the new process over"]
    extra = len(service.starts()) - before - 1
    if extra or service.alive() != (by_hand.pid,):
        problems.append(f"{len(service.alive())} processes run, {extra} were started by the daemon")
    if seen.pids != {by_hand.pid}:
        problems.append("another process than the operator's answers")
    return Observed(problems=tuple(problems), note="adopted")


def _shows(stage: Stage, pid: int) -> bool:
    shown = stage.shown(NAME)
    return shown is not None and shown.pid == pid and shown.calm


SCENARIO = Scenario(
    name="restart-by-hand",
    kind=Kind.CONTROL,
    phase=Phase.TOGETHER,
    what="restarted by hand from outside",
    services=(ServiceSpec(name=NAME, pidfile=True, shared_port=True),),
    play=play,
    allowed_starts=((NAME, 1),),
)
