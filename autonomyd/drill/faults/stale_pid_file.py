"""A service is killed while its pid file names an innocent process, and it does not start while that file exists."""

import signal
from dataclasses import replace

from autonomyd.drill.aside import innocent
from autonomyd.drill.fault import Fault
from autonomyd.drill.stage import Stage
from autonomyd.drill.verdict import REDIS, WEB


def inject(stage: Stage) -> None:
    stage.web.flag("pid", f"{stage.aside[0].pid}\n")
    stage.web.signal(signal.SIGKILL)


def was_touched(stage: Stage) -> list[str]:
    code = stage.aside[0].poll()
    return [] if code is None else [f"the innocent process was ended: {code}"]


SCENARIO = Fault(
    name="stale-pid-file",
    what="pid file names an innocent process",
    bound_s=2.0,
    prepare=innocent,
    inject=inject,
    services=(REDIS, replace(WEB, pidfile=True, refuses=True)),
    starts={"web": 2},
    after=was_touched,
).scenario()
