"""A person restarts a service that takes long to start, within its grace time: nobody helps it."""

from autonomyd.control.client import ClientError
from autonomyd.drill.healed import one_process
from autonomyd.drill.services import ServiceSpec
from autonomyd.drill.stage import Stage
from autonomyd.drill.verdict import Kind, Observed, Phase, Scenario

NAME = "slow"
NEEDS_S = 4.0
GRACE_S = 8.0
STAYS_S = 1.5


def play(stage: Stage) -> Observed:
    service = stage.ready(NAME)
    before = len(service.starts())
    service.flag("slow", str(NEEDS_S))
    problems: list[str] = []
    try:
        stage.daemon.client.post(f"/v1/services/{NAME}/restart")
    except ClientError as error:
        problems.append(f"the restart was not carried out: {error.message}")
    if not stage.until(service.ask, within_s=GRACE_S):
        problems.append("it does not answer")
    stage.rest(STAYS_S)
    extra = len(service.starts()) - before - 1
    if extra:
        problems.append(f"{extra} starts more than the one that was asked for")
    problems += one_process(service)
    return Observed(problems=tuple(problems), note=f"took {NEEDS_S:g} of {GRACE_S:g} s")


SCENARIO = Scenario(
    name="slow-start",
    kind=Kind.CONTROL,
    phase=Phase.TOGETHER,
    what="slow start, within its grace time",
    services=(ServiceSpec(name=NAME, settings={"start_grace_s": str(GRACE_S)}),),
    play=play,
    allowed_starts=((NAME, 1),),
)
