"""A service is stopped by a signal (SIGSTOP)."""

import signal

from autonomyd.drill.healed import break_and_watch
from autonomyd.drill.services import ServiceSpec
from autonomyd.drill.stage import Stage
from autonomyd.drill.verdict import Kind, Observed, Phase, Scenario


def play(stage: Stage) -> Observed:
    return break_and_watch(stage, "frozen", lambda service: service.signal(signal.SIGSTOP), within_s=20.0)


SCENARIO = Scenario(
    name="frozen",
    kind=Kind.FAULT,
    phase=Phase.TOGETHER,
    what="frozen with SIGSTOP",
    services=(ServiceSpec(name="frozen"),),
    play=play,
    allowed_starts=(("frozen", 1),),
)
