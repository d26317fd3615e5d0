"""The daemon is killed with -9 and started again: services keep running, none is doubled, none is started anew."""

from autonomyd.drill.stage import Stage
from autonomyd.drill.verdict import Kind, Observed, Phase, Scenario

STAYS_S = 2.0
SETTLED_WITHIN_S = 5.0


def play(stage: Stage) -> Observed:
    before = {name: (each.alive(), len(each.starts())) for name, each in stage.services.items()}
    stage.daemon.kill()
    orphaned = [name for name, each in stage.services.items() if each.alive() != before[name][0]]
    stage.daemon.start()
    settled = stage.until(lambda: _all_adopted(stage), within_s=SETTLED_WITHIN_S)
    stage.rest(STAYS_S)
    problems = [f"{name} ended with the daemon" for name in orphaned]
    if not settled:
        problems.append("not every running service was adopted")
    false_acts = 0
    for name, service in stage.services.items():
        alive, starts = before[name]
        extra = len(service.starts()) - starts
        false_acts += extra
        if extra or service.alive() != alive:
            problems.append(f"{name} was started {extra} times, its processes are {len(service.alive())}")
    running = sum(bool(alive) for alive, _ in before.values())
    note = f"{running} kept running"
    return Observed(problems=tuple(problems), false_acts=false_acts, note=note)


def _all_adopted(stage: Stage) -> bool:
    """The new daemon shows, for each service, the process that lives."""
    services = stage.daemon.get("/v1/services")
    return all(
        ((services[name]["pid"],) if services[name]["pid"] else ()) == each.alive()
        for name, each in stage.services.items()
    )


SCENARIO = Scenario(
    name="daemon-killed",
    kind=Kind.CONTROL,
    phase=Phase.LAST,
    what="the daemon killed with -9, started again",
    services=(),
    play=play,
)
