"""A service is killed, and a moment later the daemon is, with -9, wherever it is in healing it. Started again, the
daemon finishes: one process, never two."""

import signal
import time

from autonomyd.drill.healed import answers_anew, one_process
from autonomyd.drill.services import ServiceSpec
from autonomyd.drill.stage import Stage
from autonomyd.drill.verdict import Kind, Observed, Phase, Scenario

NAME = "interrupted"
LATEST_S = 0.15
"""By then a heal is through: any moment before may be hit."""
WITHIN_S = 10.0
STAYS_S = 1.0


def play(stage: Stage) -> Observed:
    service = stage.ready(NAME)
    began = time.monotonic()
    before = service.signal(signal.SIGKILL)
    moment_s = stage.rng.uniform(0.0, LATEST_S)
    stage.rest(moment_s)
    stage.daemon.kill()
    stage.daemon.start()
    answer = stage.until(lambda: answers_anew(service, before), within_s=WITHIN_S)
    recovered = None if answer is None else time.monotonic() - began
    problems = [] if answer else [f"it did not answer again within {WITHIN_S:g} s"]
    if not stage.calm(NAME):
        problems.append("the daemon does not show it as well")
    stage.rest(STAYS_S)
    problems += one_process(service)
    return Observed(
        recovered_after_s=recovered,
        problems=tuple(problems),
        note=f"{moment_s * 1000:.0f} ms into it",
    )


SCENARIO = Scenario(
    name="killed-with-daemon",
    kind=Kind.FAULT,
    phase=Phase.LAST,
    what="killed, and the daemon while it heals",
    services=(ServiceSpec(name=NAME),),
    play=play,
    allowed_starts=((NAME, 1),),
)
