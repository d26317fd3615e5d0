"""A service takes connections and never answers; its process lives, and is idle."""

from autonomyd.drill.healed import break_and_watch
from autonomyd.drill.services import ServiceSpec
from autonomyd.drill.stage import Stage
from autonomyd.drill.verdict import Kind, Observed, Phase, Scenario


def play(stage: Stage) -> Observed:
    return break_and_watch(stage, "hung", lambda service: service.ask("/hang"), within_s=20.0)


SCENARIO = Scenario(
    name="hung",
    kind=Kind.FAULT,
    phase=Phase.TOGETHER,
    what="hung: takes connections, never answers",
    services=(ServiceSpec(name="hung"),),
    play=play,
    allowed_starts=(("hung", 1),),
)
