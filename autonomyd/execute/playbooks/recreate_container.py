"""Recreate a container that a restart did not heal: what went wrong may be in its own writable layer."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import RecreateContainer, Step

KNOWN = frozenset({"running", "paused", "restarting", "exited", "stopped", "dead"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RecreateContainerPlaybook:
    """A new container of the same image, settings, networks and volumes; the old one is kept until the new one has
    been verified, and is put back when it has not."""

    name: str = "recreate-container"
    causes: frozenset[Cause] = frozenset({Cause.CONTAINER_BROKEN})
    rung: int = 3
    risk: Risk = Risk.HIGH
    disruptive: bool = True
    reversible: bool = True
    consented: bool = False
    reads: frozenset[str] = frozenset({"service", "container"})
    yields: frozenset[type] = frozenset({RecreateContainer})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        container = situation.container
        if situation.service is None or container is None or container.state not in KNOWN:
            return ()
        return (RecreateContainer(service=situation.service.name),)

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        container = situation.container
        if situation.service is None or container is None:
            return "the service is no container"
        return f"the container {container.name} is {container.state}"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        container = situation.container
        if container is None or not self.steps(issue, situation):
            return ()
        return (
            (
                f"make the container {container.name} anew from its own description (now {container.state}, id "
                f"{container.id[:12]})"
            ),
            "keep the old one until the new one is verified; data in volumes stays, data in its own layer does not",
        )
