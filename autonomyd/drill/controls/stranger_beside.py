"""A stranger listens on another port. It is nobody's business."""

from autonomyd.drill.aside import hold_port
from autonomyd.drill.services import free_ports
from autonomyd.drill.stage import Stage
from autonomyd.drill.untouched import Control

HOLDS_S = 60


def act(stage: Stage) -> None:
    hold_port(stage, str(free_ports(1, stage.rng)[0]), str(HOLDS_S))


SCENARIO = Control(
    name="stranger-beside",
    what="a stranger on another port",
    act=act,
    after=lambda stage: [] if stage.aside[0].poll() is None else ["the stranger was ended"],
).scenario()
