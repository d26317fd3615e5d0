"""The common part of controls: nothing is wrong with a service, and nothing may be done to it."""

from dataclasses import dataclass

from autonomyd.drill.services import SmallService
from autonomyd.drill.stage import Stage

LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What was seen of a service over some time."""

    asked: int
    good: int
    pids: frozenset[int]
    states: tuple[str, ...]


def look_on(stage: Stage, service: SmallService, *, for_s: float) -> Looks:
    """Ask the service and the API for `for_s` seconds. Raises CalledOff."""
    asked = good = 0
    pids: set[int] = set()
    states: list[str] = []
    for _ in range(round(for_s / LOOK_EVERY_S)):
        answer = service.ask(timeout_s=1.0)
        asked += 1
        if answer is not None and answer.good:
            good += 1
            pids.add(answer.pid)
        shown = stage.shown(service.name)
        if shown is not None and (not states or states[-1] != shown.state):
            states.append(shown.state)
        stage.rest(LOOK_EVERY_S)
    return Looks(asked=asked, good=good, pids=frozenset(pids), states=tuple(states))
