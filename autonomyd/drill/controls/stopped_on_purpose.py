"""A person stops a service through the API: it stays stopped."""

from autonomyd.drill.services import ServiceSpec
from autonomyd.drill.stage import Stage
from autonomyd.drill.verdict import Kind, Observed, Phase, Scenario

NAME = "stopped"
STAYS_S = 6.0


def play(stage: Stage) -> Observed:
    service = stage.ready(NAME)
    before = len(service.starts())
    stage.daemon.client.post(f"/v1/services/{NAME}/stop")
    problems = [] if not service.alive() else ["it did not stop"]
    stage.rest(STAYS_S)
    again = len(service.starts()) - before
    if again or service.alive():
        problems.append("it was started again")
    shown = stage.shown(NAME)
    if shown is None or shown.state != "stopped" or shown.issues:
        problems.append(f"the API shows {shown.state if shown else 'nothing'}, not a service stopped on purpose")
    return Observed(problems=tuple(problems), note=f"stayed so for {STAYS_S:g} s")


SCENARIO = Scenario(
    name="stopped-on-purpose",
    kind=Kind.CONTROL,
    phase=Phase.TOGETHER,
    what="stopped on purpose by a person",
    services=(ServiceSpec(name=NAME),),
    play=play,
)
