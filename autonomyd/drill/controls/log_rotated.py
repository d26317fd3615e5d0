"""Somebody else rotates the log: it is renamed, and a new one begins."""

from autonomyd.drill.stage import Stage
from autonomyd.drill.untouched import Control


def act(stage: Stage) -> None:
    log = stage.web.log
    log.rename(log.with_name("web.log.1"))
    log.touch()


SCENARIO = Control(
    name="log-rotated",
    what="log rotated by somebody else",
    act=act,
).scenario()
