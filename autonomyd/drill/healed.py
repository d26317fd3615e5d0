"""The common part of faults that end with a new process that answers."""

import time
from collections.abc import Callable

from autonomyd.drill.services import Answer, SmallService
from autonomyd.drill.stage import Stage
from autonomyd.drill.verdict import Observed

CLOSED_WITHIN_S = 8.0


def break_and_watch(
    stage: Stage, name: str, act: Callable[[SmallService], object], *, within_s: float, note: str = ""
) -> Observed:
    """Do `act` to the service when it is well, and wait until another process answers in its place and the daemon
    calls the problem closed."""
    service = stage.ready(name)
    before = service.pid()
    began = time.monotonic()
    act(service)
    answer = stage.until(lambda: answers_anew(service, before), within_s=within_s)
    recovered = None if answer is None else time.monotonic() - began
    problems: list[str] = []
    if recovered is None:
        problems.append(f"it did not answer again within {within_s:g} s")
    elif not stage.calm(name, within_s=CLOSED_WITHIN_S):
        shown = stage.shown(name)
        problems.append(f"it answers, but the daemon shows {shown.state if shown else 'nothing'} and an open issue")
    detected = stage.detected(f"service:{name}", began)
    if detected is None:
        problems.append("the API never showed that something was wrong")
    problems += one_process(service)
    return Observed(detected_after_s=detected, recovered_after_s=recovered, problems=tuple(problems), note=note)


def one_process(service: SmallService) -> list[str]:
    """A complaint unless exactly one process of the service lives."""
    alive = service.alive()
    return [] if len(alive) == 1 else [f"{service.name} has {len(alive)} processes"]


def answers_anew(service: SmallService, before: int) -> Answer | None:
    """The good answer of another process than `before`; None while there is none."""
    answer = service.ask()
    return answer if answer is not None and answer.good and answer.pid != before else None
