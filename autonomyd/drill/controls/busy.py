"""A service burns CPU and answers slowly, but in time: it is left alone."""

from autonomyd.drill.services import ServiceSpec
from autonomyd.drill.stage import Stage
from autonomyd.drill.untouched import look_on
from autonomyd.drill.verdict import Kind, Observed, Phase, Scenario

NAME = "busy"
BUSY_S = 6.0


def play(stage: Stage) -> Observed:
    service = stage.ready(NAME)
    before = service.pid()
    service.ask("/busy", timeout_s=2.0)
    try:
        seen = look_on(stage, service, for_s=BUSY_S)
    finally:
        service.ask("/calm", timeout_s=2.0)
    problems = [] if seen.pids == {before} else ["it was restarted, or did not answer"]
    return Observed(problems=tuple(problems), note=f"answered {seen.good} of {seen.asked}")


SCENARIO = Scenario(
    name="busy",
    kind=Kind.CONTROL,
    phase=Phase.TOGETHER,
    what="busy, but healthy",
    services=(ServiceSpec(name=NAME),),
    play=play,
)
