"""Remove containers that ended long ago and images that nothing uses, when the disk fills that they are on."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import PruneContainers, Step

MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneContainersPlaybook:
    """Irreversible; `[containers] prune = true` is the person's standing consent, without which nothing is read."""

    name: str = "prune-containers"
    causes: frozenset[Cause] = frozenset({Cause.CONTAINER_SPACE})
    rung: int = 0
    risk: Risk = Risk.MEDIUM
    disruptive: bool = False
    reversible: bool = False
    consented: bool = True
    reads: frozenset[str] = frozenset({"container"})
    yields: frozenset[type] = frozenset({PruneContainers})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        found = situation.container
        if found is None or not (found.removable or found.unused_images):
            return ()
        return (PruneContainers(containers=found.removable, images=found.unused_images),)

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        if situation.container is None:
            return "removing containers and images is not allowed: set [containers] prune = true"
        return "no container ended long enough ago, and no image is unused"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        found = situation.container
        if found is None or not self.steps(issue, situation):
            return ()
        return (
            (
                f"remove {len(found.removable)} ended containers and {len(found.unused_images)} unused images, "
                f"{found.reclaimable_bytes / MB:.1f} MB at most"
            ),
            *(f"container {ident[:12]}" for ident in found.removable),
            *(f"image {ident.removeprefix('sha256:')[:12]}" for ident in found.unused_images),
        )
