"""How a service takes up what its files say now, whatever state it is in. Shared by what puts files back."""

from autonomyd.model.facts import ServiceFacts
from autonomyd.model.service import RunState
from autonomyd.model.step import RestartService, StartService, Step, StopService


def afresh(service: ServiceFacts) -> tuple[Step, ...]:
    """The steps after which a new process of the service runs; none while it is not known whether one runs now."""
    if service.run is RunState.UNKNOWN:
        return ()
    if service.run is RunState.GONE:
        return (StartService(service=service.name),)
    if service.run is RunState.FROZEN:  # it can't hear an orderly stop
        return (StopService(service=service.name, force=True), StartService(service=service.name))
    return (RestartService(service=service.name),)


def afresh_words(service: ServiceFacts) -> tuple[str, ...]:
    """The same in words."""
    words = {
        StartService: f"start {service.name}",
        StopService: f"kill {service.name}",
        RestartService: f"restart {service.name}",
    }
    return tuple(words[type(step)] for step in afresh(service))
