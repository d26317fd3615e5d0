"""A service is killed."""

import signal

from autonomyd.drill.healed import break_and_watch
from autonomyd.drill.services import ServiceSpec
from autonomyd.drill.stage import Stage
from autonomyd.drill.verdict import Kind, Observed, Phase, Scenario


def play(stage: Stage) -> Observed:
    return break_and_watch(stage, "killed", lambda service: service.signal(signal.SIGKILL), within_s=8.0)


SCENARIO = Scenario(
    name="killed",
    kind=Kind.FAULT,
    phase=Phase.ALONE,
    what="killed with -9",
    services=(ServiceSpec(name="killed"),),
    play=play,
    allowed_starts=(("killed", 1),),
)
