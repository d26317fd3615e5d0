"""The pid file of a service that runs well is overwritten with the pid of an innocent process."""

from dataclasses import replace

from autonomyd.drill.aside import innocent
from autonomyd.drill.stage import Stage
from autonomyd.drill.untouched import Control
from autonomyd.drill.verdict import REDIS, WEB


def act(stage: Stage) -> None:
    stage.web.flag("pid", f"{innocent(stage).pid}\n")


SCENARIO = Control(
    name="pid-file-wrong",
    what="pid file wrong while it runs",
    act=act,
    services=(REDIS, replace(WEB, pidfile=True)),
    after=lambda stage: [] if stage.aside[0].poll() is None else ["the innocent process was ended"],
).scenario()
