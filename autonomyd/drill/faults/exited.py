"""A service ends by itself, with exit code 0, though it is wanted."""

from autonomyd.drill.healed import break_and_watch
from autonomyd.drill.services import ServiceSpec
from autonomyd.drill.stage import Stage
from autonomyd.drill.verdict import Kind, Observed, Phase, Scenario


def play(stage: Stage) -> Observed:
    return break_and_watch(stage, "exited", lambda service: service.ask("/exit"), within_s=8.0)


SCENARIO = Scenario(
    name="exited",
    kind=Kind.FAULT,
    phase=Phase.ALONE,
    what="exited with code 0",
    services=(ServiceSpec(name="exited"),),
    play=play,
    allowed_starts=(("exited", 1),),
)
