"""An operator restarts a service past the daemon: the new process is up, the old one is killed. The daemon takes the
new one over and starts none of its own."""

import os
import signal
from dataclasses import replace

from autonomyd.drill.stage import Stage
from autonomyd.drill.untouched import Control
from autonomyd.drill.verdict import REDIS, WEB

UP_WITHIN_S = 5.0


def act(stage: Stage) -> None:
    web = stage.web
    old = web.pid()
    new = web.start_by_hand()
    pidfile = web.folder / "pid"
    stage.until(lambda: pidfile.read_text("ascii").strip() == str(new.pid), within_s=UP_WITHIN_S)
    os.kill(old, signal.SIGKILL)


def was_taken_over(stage: Stage) -> list[str]:
    shown = stage.shown("web")
    if shown is None or (shown.pid,) != stage.web.alive():
        return ["the daemon did not take the new process over"]
    return []


SCENARIO = Control(
    name="restart-by-hand",
    what="restarted by hand from outside",
    act=act,
    renewed=("web",),
    services=(REDIS, replace(WEB, pidfile=True, shared_port=True)),
    after=was_taken_over,
).scenario()
